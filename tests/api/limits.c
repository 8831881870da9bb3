/* SPDX-License-Identifier: MIT */
/*
 * Sizes that cannot be had: above PTRDIFF_MAX, products that overflow, and
 * roundings that would wrap. All of them: NULL and ENOMEM, nothing else touched.
 */
#include "api.h"

TestSuite(limits, .timeout = 120);

static const size_t too_big[] = {
	SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 4095, SIZE_MAX - 4096,
	SIZE_MAX - 65536, SIZE_MAX - 4 * 1024 * 1024, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 4096,
	(size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX, (size_t)PTRDIFF_MAX - 1,
	(size_t)PTRDIFF_MAX - 4095,
};

static const size_t aligns[] = { 8, 16, 64, 4096, 65536, 4194304, (size_t)1 << 40 };

#define REFUSED(call) do {						\
	errno = 0;							\
	void *got_ = (call);						\
	cr_expect(got_ == NULL, "%s with size %zx gave %p", #call, n, got_);	\
	cr_expect(errno == ENOMEM, "%s with size %zx: errno %d", #call, n, errno); \
} while (0)

Test(limits, malloc_calloc_valloc_pvalloc)
{
	for (size_t i = 0; i < ARRAY_SIZE(too_big); i++) {
		size_t n = hide(too_big[i]);

		REFUSED(malloc(n));
		REFUSED(calloc(1, n));
		REFUSED(calloc(n, 1));
		REFUSED(valloc(n));
		REFUSED(pvalloc(n));
		REFUSED(realloc(NULL, n));
		REFUSED(reallocarray(NULL, 1, n));
	}
}

Test(limits, aligned_forms)
{
	for (size_t i = 0; i < ARRAY_SIZE(too_big); i++)
		for (size_t a = 0; a < ARRAY_SIZE(aligns); a++) {
			size_t n = hide(too_big[i]);
			void *p = NULL;

			REFUSED(memalign(aligns[a], n));
			REFUSED(aligned_alloc(aligns[a], n));
			cr_expect(posix_memalign(&p, aligns[a], n) == ENOMEM);
		}
}

/* An alignment no address space has room for: either argument may be called wrong. */
Test(limits, absurd_alignments)
{
	static const size_t absurd[] = { SIZE_MAX / 2 + 1, SIZE_MAX / 4 + 1, SIZE_MAX / 8 + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(absurd); i++) {
		size_t align = hide(absurd[i]);
		void *p = NULL;

		errno = 0;
		cr_expect(aligned_alloc(align, 64) == NULL, "alignment %zx", align);
		cr_expect(errno == ENOMEM || errno == EINVAL, "errno %d", errno);
		errno = 0;
		cr_expect(memalign(align, 64) == NULL, "alignment %zx", align);
		cr_expect(errno == ENOMEM || errno == EINVAL, "errno %d", errno);
		int rc = posix_memalign(&p, align, 64);

		cr_expect((rc == ENOMEM || rc == EINVAL) && p == NULL, "returned %d", rc);
	}
}

Test(limits, products_that_overflow)
{
	static const struct { size_t a, b; } pair[] = {
		{ SIZE_MAX, 2 }, { 2, SIZE_MAX }, { SIZE_MAX, SIZE_MAX },
		{ SIZE_MAX / 2 + 1, 2 }, { (size_t)1 << 32, (size_t)1 << 32 },
		{ ((size_t)1 << 32) + 1, (size_t)1 << 32 }, { SIZE_MAX / 16 + 2, 16 },
		{ 3, SIZE_MAX / 3 + 1 }, { (size_t)1 << 62, 2 }, { 1000, SIZE_MAX / 1000 },
	};
	char *keep = malloc(100);

	fill(keep, 100, 1);
	for (size_t i = 0; i < ARRAY_SIZE(pair); i++) {
		size_t n = hide(pair[i].a);

		REFUSED(calloc(n, pair[i].b));
		REFUSED(reallocarray(NULL, n, pair[i].b));
		REFUSED(reallocarray(hide_ptr(keep), n, pair[i].b));
	}
	cr_assert(is_filled(keep, 100, 1));
	free(keep);
}

static void failing_realloc_keeps(size_t size)
{
	char *p = malloc(size);

	fill(p, size, 17);
	for (size_t i = 0; i < ARRAY_SIZE(too_big); i++) {
		size_t n = hide(too_big[i]);

		REFUSED(realloc(hide_ptr(p), n));
		cr_assert(is_filled(p, size, 17), "a failed realloc changed the block of %zu", size);
	}
	free(p);
}

Test(limits, failed_realloc_leaves_the_block)
{
	failing_realloc_keeps(10);
	failing_realloc_keeps(1000);
	failing_realloc_keeps(100000);
	failing_realloc_keeps(5 * MIB);
}

/* More than the address space has, but below PTRDIFF_MAX. */
Test(limits, more_than_the_machine)
{
	size_t n = hide((size_t)1 << 60);

	REFUSED(malloc(n));
	REFUSED(calloc(n, 1));
	REFUSED(aligned_alloc(64, n));
	void *p = malloc(100);

	cr_assert(p != NULL, "after a refusal nothing can be had any more");
	free(p);
}
