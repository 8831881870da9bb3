/* SPDX-License-Identifier: MIT */
/*
 * Every size: the block is aligned, holds what was asked for, and all of its
 * usable size belongs to the caller while its neighbours are written to.
 */
#include "api.h"

#include <signal.h>

TestSuite(sizes, .timeout = 120);

#define WINDOW	64	/* neighbours in size that are alive together */

struct block {
	unsigned char *p;
	size_t usable;
};

static void take(struct block *b, size_t size, unsigned seed)
{
	b->p = malloc(size);
	cr_assert(b->p != NULL, "malloc(%zu)", size);
	b->usable = malloc_usable_size(b->p);
	cr_assert(b->usable >= size, "malloc(%zu) has usable size %zu", size, b->usable);
	cr_assert(is_aligned(b->p, 16), "malloc(%zu) gave %p", size,
		  (void *)b->p);
	memset(b->p, (int)(seed & 0xff), b->usable);
}

static void give(struct block *b, size_t size, unsigned seed)
{
	cr_assert(malloc_usable_size(b->p) == b->usable, "usable size of %zu changed", size);
	cr_assert(b->p[0] == (seed & 0xff) &&
		  memcmp(b->p, b->p + 1, b->usable - 1) == 0,
		  "the block of %zu bytes at %p was overwritten", size, (void *)b->p);
	free(b->p);
}

static void sweep(size_t from, size_t to)
{
	struct block b[WINDOW];

	for (size_t base = from; base < to; base += WINDOW) {
		for (size_t i = 0; i < WINDOW; i++)
			take(&b[i], base + i, (unsigned)(base + i));
		for (size_t i = 0; i < WINDOW; i++)
			give(&b[i], base + i, (unsigned)(base + i));
	}
}

Test(sizes, every_size_to_40000)
{
	sweep(1, 40000);
}

/* Nothing was asked for: a pointer of its own that may not be followed. */
Test(sizes, zero)
{
	void *p[3000];

	for (size_t i = 0; i < 3000; i++) {
		p[i] = i % 2 ? malloc(0) : calloc(i, 0);
		cr_assert(p[i] && is_aligned(p[i], 16));
		cr_assert(malloc_usable_size(p[i]) == 0);
		for (size_t j = i > 70 ? i - 70 : 0; j < i; j++)
			cr_assert(p[i] != p[j]);
	}
	for (size_t i = 0; i < 3000; i++)
		if (i % 3)
			free(p[i]);
	for (size_t i = 0; i < 3000; i += 3) {
		char *q = realloc(p[i], 100);

		cr_assert(q);
		memset(q, 1, 100);
		cr_assert(realloc(q, 0) == NULL);
	}
}

Test(sizes, zero_may_not_be_touched, .signal = SIGSEGV)
{
	volatile char *p = malloc(0);

	*p = 1;
}

Test(sizes, powers_of_two_and_neighbours)
{
	struct block b[3];

	for (size_t size = 32 * KIB; size <= 64 * MIB; size *= 2) {
		for (size_t i = 0; i < 3; i++)
			take(&b[i], size + i - 1, (unsigned)(i + 1));
		for (size_t i = 0; i < 3; i++)
			give(&b[i], size + i - 1, (unsigned)(i + 1));
	}
}

/* Page multiples and their neighbours: where runs are trimmed to size. */
Test(sizes, pages_and_neighbours)
{
	struct block b[3];
	size_t page = page_bytes();

	for (size_t n = 1; n <= 1100; n += n < 70 ? 1 : 37) {
		for (size_t i = 0; i < 3; i++)
			take(&b[i], n * page + i - 1, (unsigned)(i + 7));
		for (size_t i = 0; i < 3; i++)
			give(&b[i], n * page + i - 1, (unsigned)(i + 7));
	}
}

/* Power-of-two caches are naturally aligned, as the kernel guarantees. */
Test(sizes, powers_of_two_are_naturally_aligned)
{
	void *p[8];

	for (size_t size = 16; size <= 32 * KIB; size *= 2) {
		for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = malloc(size);
			cr_assert(is_aligned(p[i], size < 4096 ? size : 4096),
				  "malloc(%zu) gave %p", size, p[i]);
		}
		for (size_t i = 0; i < ARRAY_SIZE(p); i++)
			free(p[i]);
	}
}

/* Sixteen bytes also below sixteen: compilers assume max_align_t everywhere. */
Test(sizes, tiny_blocks_are_aligned_to_16)
{
	void *p[16][16];

	for (size_t size = 0; size < 16; size++)
		for (size_t i = 0; i < 16; i++) {
			p[size][i] = malloc(size);
			cr_assert(is_aligned(p[size][i], 16), "malloc(%zu) gave %p", size,
				  p[size][i]);
		}
	for (size_t size = 0; size < 16; size++)
		for (size_t i = 0; i < 16; i++)
			free(p[size][i]);
}

/* Pages are not wasted on sizes just above a power of two. */
Test(sizes, page_runs_are_trimmed)
{
	void *p = malloc(5 * page_bytes() + 40 * KIB);

	cr_assert(malloc_usable_size(p) <= 7 * page_bytes() + 40 * KIB,
		  "a request of %zu bytes took %zu", 5 * page_bytes() + 40 * KIB,
		  malloc_usable_size(p));
	free(p);
}
