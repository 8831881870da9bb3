/* SPDX-License-Identifier: MIT */
/*
 * The names behind the names: libraries that wrap malloc call __libc_malloc and
 * its siblings, and give the result to free. All must be the one heap.
 */
#include "api.h"

TestSuite(alias, .timeout = 120);

typedef void *(*size_fn)(size_t);
typedef void *(*two_fn)(size_t, size_t);
typedef void *(*realloc_fn)(void *, size_t);
typedef void (*free_fn)(void *);
typedef int (*posix_fn)(void **, size_t, size_t);

static const size_t sizes[] = { 1, 64, 1000, 40000, 1 << 20, 5 << 20 };

static void one_size_argument(const char *name)
{
	FAMILY(size_fn, get, name);

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = get(sizes[i]);

		cr_assert(p && malloc_usable_size(p) >= sizes[i], "%s(%zu)", name, sizes[i]);
		memset(p, 1, sizes[i]);
		p = realloc(p, sizes[i] * 2);
		cr_assert(p != NULL);
		free(p);
	}
}

Test(alias, malloc_valloc_pvalloc)
{
	one_size_argument("__libc_malloc");
	one_size_argument("__libc_valloc");
	one_size_argument("__libc_pvalloc");
}

Test(alias, calloc)
{
	FAMILY(two_fn, get, "__libc_calloc");

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = get(1, sizes[i]);

		cr_assert(p && is_zero(p, sizes[i]));
		free(p);
	}
	cr_assert(get(hide(SIZE_MAX), 2) == NULL);
}

Test(alias, memalign)
{
	FAMILY(two_fn, get, "__libc_memalign");
	FAMILY(posix_fn, posix, "__posix_memalign");

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = get(1024, sizes[i]), *q = NULL;

		cr_assert(p && is_aligned(p, 1024));
		cr_assert(posix(&q, 2048, sizes[i]) == 0 && is_aligned(q, 2048));
		free(p);
		free(q);
	}
	void *q = NULL;

	cr_assert(posix(&q, 3, 100) == EINVAL && q == NULL);
}

Test(alias, realloc_and_free)
{
	FAMILY(realloc_fn, again, "__libc_realloc");
	FAMILY(free_fn, release, "__libc_free");
	FAMILY(free_fn, crelease, "__libc_cfree");

	release(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = malloc(sizes[i]);

		fill(p, sizes[i], 4);
		p = again(p, sizes[i] * 3);
		cr_assert(p && is_filled(p, sizes[i], 4));
		release(p);
		crelease(malloc(sizes[i]));
	}
	cr_assert(again(malloc(10), hide(0)) == NULL);
}

/* What is freed under one name is reused under the other: no second heap. */
Test(alias, one_heap)
{
	FAMILY(size_fn, get, "__libc_malloc");
	size_t before = live_bytes();
	void *p = get(300000);

	cr_assert(live_bytes() >= before + 300000);
	free(p);
	cr_assert(live_bytes() < before + 300000);
}
