/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps of 64-bit words.  Not atomic: the caller holds the lock that guards the map.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include "lib/bits.h"

#define BITS_PER_WORD	64u
#define BITMAP_WORDS(n)	(((n) + BITS_PER_WORD - 1) / BITS_PER_WORD)

static inline bool bitmap_test(const uint64_t *map, unsigned i)
{
	return map[i / BITS_PER_WORD] >> (i % BITS_PER_WORD) & 1;
}

static inline void bitmap_set(uint64_t *map, unsigned i)
{
	map[i / BITS_PER_WORD] |= UINT64_C(1) << (i % BITS_PER_WORD);
}

static inline void bitmap_clear(uint64_t *map, unsigned i)
{
	map[i / BITS_PER_WORD] &= ~(UINT64_C(1) << (i % BITS_PER_WORD));
}

/* The first @n bits set, the rest of the last word clear. */
static inline void bitmap_fill(uint64_t *map, unsigned n)
{
	unsigned i, words = n / BITS_PER_WORD;

	for (i = 0; i < words; i++)
		map[i] = ~UINT64_C(0);
	if (n % BITS_PER_WORD)
		map[words] = (UINT64_C(1) << (n % BITS_PER_WORD)) - 1;
}

static inline unsigned bitmap_weight(const uint64_t *map, unsigned n)
{
	unsigned i, sum = 0;

	for (i = 0; i < BITMAP_WORDS(n); i++)
		sum += (unsigned)__builtin_popcountll(map[i]);
	return sum;
}

#endif
