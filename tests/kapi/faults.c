/* SPDX-License-Identifier: MIT */
/*
 * Fault injection: requests that fail though there is memory.
 */
#include "kapi.h"

TestSuite(faults, .timeout = 120);

/* The program's own options: the library reads them when it starts. */
extern const char *kmalloc_options;
const char *kmalloc_options = "failslab:5,fail_mempool_alloc:2,fail_mempool_alloc_bulk:1";

Test(faults, failslab)
{
	struct kmem_cache *s = kmem_cache_create("failing", 100, 0, SLAB_FAILSLAB, NULL);
	int i, failed = 0;

	for (i = 0; i < 100; i++)
		failed += !kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert_eq(failed, 20);
	for (i = 0; i < 100; i++)
		cr_assert(kmem_cache_alloc(s, GFP_KERNEL | __GFP_NOFAIL));
}

Test(faults, failslab_is_asked_for_bulk_too)
{
	struct kmem_cache *s = kmem_cache_create("failing", 100, 0, SLAB_FAILSLAB, NULL);
	void *p[10];

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p), 0);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 3, p), 3);
	kmem_cache_free_bulk(s, 3, p);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0, "nothing was left behind");
}

Test(faults, fail_mempool_alloc)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 100);
	int i;

	for (i = 0; i < 8; i++)
		cr_assert(mempool_alloc(pool, GFP_KERNEL));
	cr_assert_eq(pool->curr_nr, 0, "every second one is from the reserve");
	cr_assert(mempool_alloc(pool, GFP_NOWAIT));
	cr_assert_null(mempool_alloc(pool, GFP_NOWAIT));
	mempool_alloc(pool, GFP_NOWAIT);
	cr_assert(mempool_alloc(pool, GFP_KERNEL), "asks again before it waits");
}

Test(faults, fail_mempool_alloc_bulk)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 100);
	void *p[4] = { NULL };

	cr_assert_eq(mempool_alloc_bulk(pool, p, 3, 0), 0);
	cr_assert_eq(pool->curr_nr, 1);
	cr_assert_eq(mempool_free_bulk(pool, p, 3), 3);
}
