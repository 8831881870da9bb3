/* SPDX-License-Identifier: MIT */
/*
 * Random places.
 *
 * Which object of a slab is handed out next should not be known to an attacker who has the one
 * before it.  Objects are taken from a random place of the slab on, in order of address, since
 * whoever takes many at once shuffles them anyway (harden/thread.c).
 *
 * Locks: s->lock, the caller's.
 */
#include "slab/scatter.h"

#include "lib/bitmap.h"

/* Knuth's congruence; the upper half is the good one. */
unsigned scatter_below(struct kmem_cache *s, unsigned n)
{
	s->scatter = s->scatter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((s->scatter >> 32) * n >> 32);
}

void scatter_take(struct kmem_cache *s, struct page *slab, void **end, unsigned n)
{
	unsigned words = BITMAP_WORDS(s->objects), first = scatter_below(s, s->objects), i;
	unsigned word = first / BITS_PER_WORD;
	uint64_t *map = slab_bitmap(slab), mask = ~UINT64_C(0) << first % BITS_PER_WORD;
	char *base = (char *)slab_base(slab);

	slab->free_objects = (uint16_t)(slab->free_objects - n);
	slab->flags |= PG_USED;
	for (; n; word = word + 1 == words ? 0 : word + 1, mask = ~UINT64_C(0)) {
		for (; n && map[word] & mask; n--) {
			i = word * BITS_PER_WORD + lowest_bit(map[word] & mask);
			bitmap_clear(map, i);
			*--end = base + (size_t)i * s->size;
		}
	}
}
