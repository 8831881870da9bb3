/* SPDX-License-Identifier: MIT */
/*
 * malloc, calloc and free: what the C standard, POSIX and the habits of glibc
 * promise for single blocks.
 */
#include "api.h"

TestSuite(basic, .timeout = 120);

Test(basic, malloc_zero_is_unique)
{
	void *p[1000];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = malloc(hide(0));
		cr_assert(p[i] != NULL, "malloc(0) returned NULL");
		cr_assert(is_aligned(p[i], 16), "malloc(0) gave %p", p[i]);
		for (size_t j = 0; j < i; j++)
			cr_assert(p[i] != p[j], "malloc(0) gave %p twice", p[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		free(p[i]);
}

Test(basic, calloc_zero_is_unique)
{
	void *a = calloc(hide(0), 10), *b = calloc(10, hide(0)), *c = calloc(0, hide(0));

	cr_assert(a && b && c, "calloc of nothing returned NULL");
	cr_assert(a != b && b != c && a != c);
	free(a);
	free(b);
	free(c);
}

Test(basic, free_null_is_nothing)
{
	free(hide_ptr(NULL));
	free(NULL);
}

/* No two live blocks may overlap, whatever the mix of sizes. */
Test(basic, live_blocks_do_not_overlap)
{
	static unsigned char *p[4096];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = malloc(1 + i % 777);
		memset(p[i], (int)(i % 251), 1 + i % 777);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		for (size_t k = 0; k < 1 + i % 777; k++)
			cr_assert(p[i][k] == i % 251, "block %zu was overwritten", i);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		free(p[i]);
}

static void calloc_after_dirt(size_t size, size_t count)
{
	void **p = malloc(count * sizeof(*p));

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < count; i++) {
			p[i] = calloc(1, size);
			cr_assert(p[i] != NULL, "calloc(1, %zu)", size);
			size_t usable = malloc_usable_size(p[i]);

			cr_assert(is_zero(p[i], size),
				  "calloc(1, %zu) in round %d is dirty", size, round);
			memset(p[i], 0xa5, usable);
		}
		for (size_t i = 0; i < count; i++)
			free(p[i]);
	}
	free(p);
}

Test(basic, calloc_is_zero_small)
{
	for (size_t size = 1; size <= 4096; size += size < 256 ? 1 : 61)
		calloc_after_dirt(size, 100);
}

Test(basic, calloc_is_zero_pages)
{
	for (size_t size = 5000; size <= 4 * MIB; size = size * 5 / 3)
		calloc_after_dirt(size, 4);
	calloc_after_dirt(32 * KIB, 16);
	calloc_after_dirt(32 * KIB + 1, 16);
	calloc_after_dirt(4 * MIB, 2);
}

Test(basic, calloc_is_zero_large)
{
	calloc_after_dirt(4 * MIB + 1, 2);
	calloc_after_dirt(5 * MIB, 2);
	calloc_after_dirt(32 * MIB, 2);
}

/* A run dirtied as small objects may come back as pages, and the other way. */
Test(basic, calloc_is_zero_across_sizes)
{
	static void *small[20000];

	for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
		small[i] = malloc(200);
		memset(small[i], 0xff, 200);
	}
	for (size_t i = 0; i < ARRAY_SIZE(small); i++)
		free(small[i]);
	malloc_trim(0);
	for (size_t size = 40 * KIB; size <= 2 * MIB; size *= 2)
		calloc_after_dirt(size, 2);
	calloc_after_dirt(200, 20000);
}

Test(basic, calloc_counts_both_arguments)
{
	unsigned char *p = calloc(hide(37), hide(41));

	cr_assert(malloc_usable_size(p) >= 37 * 41);
	cr_assert(is_zero(p, 37 * 41));
	free(p);
}

Test(basic, usable_size_of_null_is_zero)
{
	cr_assert(malloc_usable_size(NULL) == 0);
}

Test(basic, free_sized_takes_back_what_malloc_gave)
{
	FAMILY(void (*)(void *, size_t), free_sized, "free_sized");

	free_sized(NULL, 0);
	for (size_t size = 0; size < 100000; size += size < 2000 ? 1 : 997) {
		void *p = malloc(size), *q = calloc(1, size);

		memset(p, 1, size);
		free_sized(p, size);
		free_sized(q, size);
	}
	void *big = malloc(9 * MIB);

	free_sized(big, 9 * MIB);
}

Test(basic, cfree_frees)
{
	FAMILY(void (*)(void *), cfree, "cfree");
	size_t before = live_bytes();

	cfree(NULL);
	for (int i = 0; i < 1000; i++)
		cfree(malloc(100 * KIB));
	cr_assert(live_bytes() < before + 10 * MIB, "cfree leaks");
}
