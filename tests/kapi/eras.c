/* SPDX-License-Identifier: MIT */
/*
 * The interface of 2.4, from a file compiled for it.
 */
#define KMALLOC_API 24

#include "kapi.h"

#include <linux/malloc.h>

TestSuite(era24, .timeout = 120);

static int built, razed;
static kmem_cache_t *expected;

static void build(void *object, kmem_cache_t *s, unsigned long flags)
{
	cr_assert_eq(flags & SLAB_CTOR_CONSTRUCTOR, SLAB_CTOR_CONSTRUCTOR);
	memset(object, 1, 60);
	expected = s;
	built++;
}

static void raze(void *object, kmem_cache_t *s, unsigned long flags)
{
	cr_assert_eq(flags, 0);
	cr_assert(s == expected && all_bytes(object, 1, 60));
	razed++;
}

Test(era24, constructors_and_destructors)
{
	kmem_cache_t *s = kmem_cache_create("old", 60, 0, 0, build, raze);
	void *p = kmem_cache_alloc(s, SLAB_KERNEL);

	cr_assert(p && built && expected == s && !razed);
	cr_assert_eq(kmem_cache_destroy(s), 1, "objects left: it stays");
	kmem_cache_free(s, p);
	cr_assert_eq(kmem_cache_destroy(s), 0);
	cr_assert_eq(razed, built);
}

Test(era24, grow_and_no_grow)
{
	kmem_cache_t *s = kmem_cache_create("grown", 60, 0, SLAB_NO_MERGE, NULL, NULL);

	cr_assert_null(kmem_cache_alloc(s, SLAB_KERNEL | SLAB_NO_GROW | __GFP_NOWARN | __GFP_NORETRY));
	cr_assert_eq(kmem_cache_grow(s, SLAB_KERNEL), 1);
	cr_assert(kmem_cache_alloc(s, SLAB_KERNEL | SLAB_NO_GROW | __GFP_NORETRY));
}

Test(era24, general_caches)
{
	const cache_sizes_t *sizes = cache_sizes;
	size_t size = 32;
	void *p;

	for (; sizes->cs_size; sizes++, size *= 2) {
		cr_assert_eq(sizes->cs_size, size);
		cr_assert_geq(kmem_cache_size(sizes->cs_cachep), size);
		p = kmem_cache_alloc(sizes->cs_dmacachep, GFP_KERNEL);
		cr_assert_lt((uintptr_t)p, 1ul << 32);
		kmem_cache_free(sizes->cs_dmacachep, p);
		p = kmem_cache_alloc(sizes->cs_cachep, GFP_KERNEL);
		kfree(p);
	}
	cr_assert_eq(size, 131072 * 2);
	cr_assert_str_eq(kmem_cache_name(&cache_cache), "kmem_cache");
	cr_assert(kmem_find_general_cachep(100, GFP_KERNEL));
	cr_assert_null(kmem_find_general_cachep(131073, GFP_KERNEL));
}

Test(era24, limit)
{
	void *p = kmalloc(131072, GFP_KERNEL);

	cr_assert(p);
	kfree(p);
	cr_assert_null(kmalloc(131073, GFP_KERNEL));
}

Test(era24, get_free_page_zeroes)
{
	unsigned long p = get_free_page(GFP_BUFFER);

	cr_assert(all_bytes((void *)p, 0, PAGE_SIZE));
	memset((void *)p, 1, PAGE_SIZE);
	free_page(p);
	p = __get_free_pages(GFP_KERNEL, 2, 1);
	cr_assert_lt(p, 1ul << 32, "the third argument asked for DMA");
	free_pages(p, 2);
}

Test(era24, kfree_s_checks_the_size)
{
	void *p = (kmalloc)(100, GFP_NFS);

	kfree_s(p, 100);
	p = (kmalloc)(100, GFP_KERNEL);
	kfree_s(p, 5000);
	cr_assert_eq(ksize(p), kmalloc_size_roundup(100), "a wrong size frees nothing");
	kfree(p);
}
