/* SPDX-License-Identifier: MIT */
/*
 * The interface of 2.2, from a file compiled for it.
 */
#define KMALLOC_API 22

#include "kapi.h"

TestSuite(era22, .timeout = 120);

Test(era22, caches)
{
	kmem_cache_t *s = kmem_cache_create("of 22", 100, 0, SLAB_HWCACHE_ALIGN, NULL, NULL);
	void *p = kmem_cache_alloc(s, SLAB_ATOMIC);

	cr_assert(!p || is_aligned(p, 64));
	if (p)
		kmem_cache_free(s, p);
	cr_assert(p = kmem_cache_alloc(s, SLAB_KERNEL));
	kmem_cache_free(s, p);
	cr_assert_eq(kmem_cache_shrink(s), 0);
	kmem_cache_reap(GFP_KERNEL);
}

Test(era22, general_caches)
{
	cr_assert_geq(kmem_cache_size(kmem_find_general_cachep(100)), 100);
	cr_assert_null(kmem_find_general_cachep(131073));
}

Test(era22, limit)
{
	void *p = kmalloc(131072, GFP_KERNEL);

	cr_assert(p);
	kfree_s(p, 131072);
	cr_assert_null(kmalloc(131073, GFP_KERNEL));
}
