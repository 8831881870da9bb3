/* SPDX-License-Identifier: MIT */
/*
 * Memory pools.
 */
#include "kapi.h"

TestSuite(mempool, .timeout = 120);

static bool out_of_memory;

static void *may_fail(gfp_t gfp, void *data)
{
	return out_of_memory ? NULL : mempool_kmalloc(gfp, data);
}

Test(mempool, reserve_then_wait)
{
	mempool_t *pool = mempool_create(3, may_fail, mempool_kfree, (void *)100);
	void *p[3];
	int i;

	cr_assert_eq(pool->curr_nr, 3);
	cr_assert(mempool_is_saturated(pool));
	out_of_memory = true;
	for (i = 0; i < 3; i++)
		cr_assert(p[i] = mempool_alloc(pool, GFP_KERNEL));
	cr_assert_null(mempool_alloc(pool, GFP_NOWAIT));
	cr_assert_null(mempool_alloc_preallocated(pool));
	for (i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	cr_assert_eq(pool->curr_nr, 3, "what comes back goes to the reserve");
	mempool_free(NULL, pool);
	out_of_memory = false;
	mempool_destroy(pool);
	mempool_destroy(NULL);
}

static void *give_back(void *arg)
{
	void **pair = arg;

	usleep(50000);
	mempool_free(pair[1], pair[0]);
	return NULL;
}

Test(mempool, waits_for_an_element, .timeout = 4)
{
	mempool_t *pool = mempool_create(1, may_fail, mempool_kfree, (void *)100);
	void *pair[2] = { pool, NULL };
	pthread_t thread;

	out_of_memory = true;
	pair[1] = mempool_alloc(pool, GFP_KERNEL);
	pthread_create(&thread, NULL, give_back, pair);
	cr_assert_eq(mempool_alloc(pool, GFP_KERNEL), pair[1]);
	pthread_join(thread, NULL);
}

static void *take_and_give(void *arg)
{
	int i;

	for (i = 0; i < 5000; i++) {
		void *p = mempool_alloc(arg, GFP_KERNEL);

		cr_assert(p);
		memset(p, i, 100);
		mempool_free(p, arg);
	}
	return NULL;
}

Test(mempool, threads_on_a_reserve_of_one, .timeout = 30)
{
	mempool_t *pool = mempool_create(1, may_fail, mempool_kfree, (void *)100);

	out_of_memory = true;
	in_threads(take_and_give, pool);
	cr_assert_eq(pool->curr_nr, 1);
}

Test(mempool, resize)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 100);

	cr_assert_eq(mempool_resize(pool, 20), 0);
	cr_assert_eq(pool->curr_nr, 20);
	cr_assert_eq(mempool_resize(pool, 2), 0);
	cr_assert_eq(pool->curr_nr, 2);
	cr_assert_eq(mempool_resize(pool, 6, GFP_KERNEL), 0, "as in 2.6");
	cr_assert_eq(pool->curr_nr, 6);
	mempool_destroy(pool);
}

Test(mempool, kinds)
{
	struct kmem_cache *s = kmem_cache_create("pooled", 100, 0, SLAB_NO_MERGE, NULL);
	mempool_t *pool[4] = {
		mempool_create_slab_pool(4, s), mempool_create_kmalloc_pool(4, 200),
		mempool_create_kvmalloc_pool(2, 5 * MIB), mempool_create_page_pool(4, 2),
	};
	mempool_t embedded;
	void *p;
	int i;

	for (i = 0; i < 4; i++) {
		p = mempool_alloc(pool[i], GFP_KERNEL);
		cr_assert(p);
		mempool_free(p, pool[i]);
		mempool_destroy(pool[i]);
	}
	memset(&embedded, 0, sizeof(embedded));
	mempool_exit(&embedded);
	cr_assert_eq(mempool_init_kmalloc_pool(&embedded, 3, 100), 0);
	mempool_exit(&embedded);
	cr_assert_not(mempool_initialized(&embedded));
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* As long as the system has memory, the reserve stays for when it has none. */
Test(mempool, reserve_is_kept_while_there_is_memory)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 20000);
	int i;

	for (i = 0; i < 2000; i++)
		cr_assert(mempool_alloc(pool, GFP_KERNEL));
	cr_assert_eq(pool->curr_nr, 4);
}

Test(mempool, bulk)
{
	mempool_t *pool = mempool_create(8, may_fail, mempool_kfree, (void *)100);
	void *p[8] = { NULL }, *mine = kmalloc(100, GFP_KERNEL);

	p[3] = mine;
	out_of_memory = true;
	cr_assert_eq(mempool_alloc_bulk(pool, p, 8, 1), 0);
	cr_assert(p[0] && p[7] && p[3] == mine);
	cr_assert_eq(pool->curr_nr, 1);
	cr_assert_eq(mempool_free_bulk(pool, p, 8), 7);
	cr_assert_eq(pool->curr_nr, 8);
}
