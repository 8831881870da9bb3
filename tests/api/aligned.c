/* SPDX-License-Identifier: MIT */
/*
 * The aligned forms: memalign, aligned_alloc, posix_memalign, valloc, pvalloc
 * and free_aligned_sized.
 */
#include "api.h"

TestSuite(aligned, .timeout = 120);

static const size_t sizes[] = {
	0, 1, 8, 15, 16, 17, 48, 64, 100, 512, 1000, 4095, 4096, 4097, 9000,
	32768, 32769, 100000, 1 << 20, (4 << 20) + 1,
};

typedef void *(*align_fn)(size_t align, size_t size);

static void *by_posix(size_t align, size_t size)
{
	void *p = NULL;

	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static void sweep(const char *name, align_fn fn, size_t from)
{
	for (size_t align = from; align <= 16 * MIB; align *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			unsigned char *p = fn(align, sizes[i]), *q = fn(align, sizes[i]);

			cr_assert(p && q && p != q, "%s(%zu, %zu)", name, align, sizes[i]);
			cr_assert(is_aligned(p, align) && is_aligned(q, align),
				  "%s(%zu, %zu) gave %p and %p", name, align, sizes[i],
				  (void *)p, (void *)q);
			size_t usable = malloc_usable_size(p);

			cr_assert(usable >= sizes[i]);
			fill(p, usable, 3);
			fill(q, malloc_usable_size(q), 5);
			cr_assert(is_filled(p, usable, 3), "%s blocks overlap", name);
			free(q);
			free(p);
		}
}

Test(aligned, memalign)
{
	sweep("memalign", memalign, 16);
}

Test(aligned, aligned_alloc)
{
	sweep("aligned_alloc", aligned_alloc, 16);
}

Test(aligned, posix_memalign)
{
	sweep("posix_memalign", by_posix, 16);
}

/* Less than malloc's own alignment is asked for: malloc's is what one gets. */
Test(aligned, small_alignments)
{
	for (size_t align = 1; align <= 16; align *= 2) {
		void *p = memalign(align, 24), *q = aligned_alloc(align, 24);

		cr_assert(is_aligned(p, 16) && is_aligned(q, 16), "alignment %zu", align);
		free(p);
		free(q);
	}
	for (size_t align = sizeof(void *); align <= 16; align *= 2) {
		void *p = by_posix(align, 24);

		cr_assert(is_aligned(p, 16));
		free(p);
	}
}

/* Many live blocks of each alignment: none overlaps, all can be freed in any order. */
Test(aligned, many_live_blocks)
{
	enum { N = 1000 };
	static unsigned char *p[N];

	for (size_t align = 16; align <= 64 * KIB; align *= 4) {
		for (size_t i = 0; i < N; i++) {
			p[i] = aligned_alloc(align, 1 + i * 7 % 3000);
			cr_assert(is_aligned(p[i], align));
			memset(p[i], (int)(i & 0xff), 1 + i * 7 % 3000);
		}
		for (size_t i = 0; i < N; i++) {
			size_t k = i * 387 % N;

			cr_assert(p[k][0] == (k & 0xff) && p[k][k * 7 % 3000] == (k & 0xff));
			free(p[k]);
		}
	}
}

Test(aligned, aligned_alloc_refuses_odd_alignments)
{
	static const size_t bad[] = { 0, 3, 24, 48, 100, 4097, SIZE_MAX, SIZE_MAX / 2 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		errno = 0;
		void *p = aligned_alloc(hide(bad[i]), 64);

		cr_expect(p == NULL, "aligned_alloc(%zu, 64) gave %p", bad[i], p);
		cr_expect(errno == EINVAL, "aligned_alloc(%zu, 64): errno %d", bad[i], errno);
	}
}

Test(aligned, posix_memalign_returns_einval)
{
	static const size_t bad[] = { 0, 1, 2, 4, 3, 12, 24, 4095, SIZE_MAX };
	char spot;
	void *const mark = &spot, *p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p = mark;
		errno = 0;
		int rc = posix_memalign(&p, hide(bad[i]), 64);

		cr_expect(rc == EINVAL, "posix_memalign(%zu) returned %d", bad[i], rc);
		cr_expect(p == mark, "posix_memalign(%zu) wrote to *memptr", bad[i]);
		cr_expect(errno == 0, "posix_memalign(%zu) set errno", bad[i]);
	}
}

Test(aligned, posix_memalign_returns_enomem)
{
	static const size_t huge[] = { SIZE_MAX, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1 };
	char spot;
	void *const mark = &spot, *p;

	for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
		p = mark;
		int rc = posix_memalign(&p, 64, hide(huge[i]));

		cr_expect(rc == ENOMEM, "posix_memalign(%zx) returned %d", huge[i], rc);
		cr_expect(p == mark, "posix_memalign(%zx) wrote to *memptr", huge[i]);
	}
}

Test(aligned, posix_memalign_zero_bytes)
{
	void *p = NULL;

	cr_assert(posix_memalign(&p, 64, hide(0)) == 0 && p != NULL);
	cr_assert(is_aligned(p, 64));
	free(p);
}

Test(aligned, valloc_is_page_aligned)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = valloc(sizes[i]);

		cr_assert(p && is_aligned(p, page_bytes()), "valloc(%zu) gave %p", sizes[i], p);
		cr_assert(malloc_usable_size(p) >= sizes[i]);
		free(p);
	}
}

Test(aligned, pvalloc_rounds_up_to_pages)
{
	size_t page = page_bytes();

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *p = pvalloc(sizes[i]);
		size_t whole = (sizes[i] + page - 1) / page * page;

		cr_assert(p && is_aligned(p, page), "pvalloc(%zu) gave %p", sizes[i], p);
		cr_assert(malloc_usable_size(p) >= whole, "pvalloc(%zu): %zu usable", sizes[i],
			  malloc_usable_size(p));
		memset(p, 1, whole);
		free(p);
	}
}

Test(aligned, realloc_of_aligned_keeps_contents)
{
	for (size_t align = 32; align <= 2 * MIB; align *= 4) {
		unsigned char *p = aligned_alloc(align, 3000);

		fill(p, 3000, 9);
		p = realloc(p, 300000);
		cr_assert(p && is_filled(p, 3000, 9), "alignment %zu", align);
		p = realloc(p, 100);
		cr_assert(p && is_filled(p, 100, 9), "alignment %zu", align);
		free(p);
	}
}

Test(aligned, free_aligned_sized)
{
	FAMILY(void (*)(void *, size_t, size_t), release, "free_aligned_sized");

	release(NULL, 64, 0);
	for (size_t align = 16; align <= 4 * MIB; align *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			void *p = aligned_alloc(align, sizes[i]);

			memset(p, 1, sizes[i]);
			release(p, align, sizes[i]);
		}
}
