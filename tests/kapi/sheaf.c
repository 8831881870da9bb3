/* SPDX-License-Identifier: MIT */
/*
 * Prefilled sheaves.
 */
#include "kapi.h"

TestSuite(sheaf, .timeout = 120);

Test(sheaf, taking_cannot_fail)
{
	struct kmem_cache *s = kmem_cache_create("sheaf", 120, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 500);
	int i;

	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 500);
	refuse_memory_beyond(0);
	for (i = 0; i < 500; i++)
		cr_assert(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 0);
	cr_assert_null(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

Test(sheaf, refill_and_return)
{
	struct kmem_cache *s = kmem_cache_create("refill", 120, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5);
	void *p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);

	cr_assert_eq(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 50), 0);
	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 50);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}
