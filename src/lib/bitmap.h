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

/* The bits of the word with index @word that lie in [@start, @start + @n). */
static inline uint64_t bitmap_word_mask(size_t word, size_t start, size_t n)
{
	size_t first = word * BITS_PER_WORD, end = start + n;
	uint64_t mask = ~UINT64_C(0);

	if (start > first)
		mask <<= start - first;
	if (end < first + BITS_PER_WORD)
		mask &= (UINT64_C(1) << (end - first)) - 1;
	return mask;
}

static inline void bitmap_set_range(uint64_t *map, size_t start, size_t n)
{
	size_t word;

	for (word = start / BITS_PER_WORD; word * BITS_PER_WORD < start + n; word++)
		map[word] |= bitmap_word_mask(word, start, n);
}

static inline void bitmap_clear_range(uint64_t *map, size_t start, size_t n)
{
	size_t word;

	for (word = start / BITS_PER_WORD; word * BITS_PER_WORD < start + n; word++)
		map[word] &= ~bitmap_word_mask(word, start, n);
}

static inline unsigned bitmap_count_range(const uint64_t *map, size_t start, size_t n)
{
	unsigned sum = 0;
	size_t word;

	for (word = start / BITS_PER_WORD; word * BITS_PER_WORD < start + n; word++)
		sum += (unsigned)__builtin_popcountll(map[word] &
						      bitmap_word_mask(word, start, n));
	return sum;
}

#endif
