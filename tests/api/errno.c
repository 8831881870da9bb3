/* SPDX-License-Identifier: MIT */
/*
 * errno: free never changes it (POSIX.1-2024), and no call that succeeds does,
 * however much memory it maps, moves or gives back on its way.
 */
#include "api.h"

TestSuite(errno_kept, .timeout = 120);

#define MARK	12345

static const size_t sizes[] = {
	0, 1, 16, 100, 1024, 5000, 32768, 40000, 200000, 1 << 20, 4 << 20,
	(4 << 20) + 1, 16 << 20, 64 << 20,
};

#define QUIET(call) do {						\
	errno = MARK;							\
	(void)(call);							\
	cr_expect(errno == MARK, "%s with size %zu set errno to %d", #call, n, errno); \
} while (0)

static void quiet_free(void *p, size_t n)
{
	errno = MARK;
	free(p);
	cr_expect(errno == MARK, "free of %zu bytes set errno to %d", n, errno);
}

Test(errno_kept, single_blocks)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i];
		void *p, *q = NULL;

		QUIET(p = malloc(n));
		QUIET(malloc_usable_size(p));
		QUIET(p = realloc(p, n + n / 2 + 1));
		QUIET(p = realloc(p, n / 3 + 1));
		quiet_free(p, n);
		QUIET(p = calloc(1, n));
		quiet_free(p, n);
		QUIET(p = memalign(256, n));
		quiet_free(p, n);
		QUIET(p = aligned_alloc(8192, n));
		quiet_free(p, n);
		QUIET(posix_memalign(&q, 64, n));
		quiet_free(q, n);
		QUIET(p = valloc(n));
		quiet_free(p, n);
		QUIET(p = reallocarray(NULL, 1, n));
		quiet_free(p, n);
	}
}

Test(errno_kept, free_of_null)
{
	quiet_free(NULL, 0);
}

/* Enough blocks that refills, drains, new slabs and purges all happen. */
Test(errno_kept, many_blocks)
{
	static void *p[20000];

	for (size_t i = 0; i < ARRAY_SIZE(sizes) - 5; i++) {
		size_t n = sizes[i], count = n > 1024 ? 200 : ARRAY_SIZE(p);

		for (size_t k = 0; k < count; k++)
			QUIET(p[k] = malloc(n));
		for (size_t k = 0; k < count; k++)
			quiet_free(p[k], n);
	}
}

Test(errno_kept, control_calls)
{
	size_t n = 0;

	QUIET(malloc_trim(0));
	QUIET(mallopt(M_MMAP_THRESHOLD, 1 << 20));
	QUIET(mallinfo2());
}

/* realloc(p, 0) frees: the rule of free applies. */
Test(errno_kept, realloc_to_zero)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i];
		void *p = malloc(n);

		QUIET(p = realloc(p, hide(0)));
	}
}
