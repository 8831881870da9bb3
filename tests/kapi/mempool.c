/* SPDX-License-Identifier: MIT */
/*
 * Memory pools.
 */
#include "kapi.h"

#include <signal.h>
#include <stdatomic.h>

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

/*
 * While the system refuses memory.
 */

static mempool_t *scarce;
static _Atomic(void *) given_back;

static void *give_back_later(void *arg)
{
	while (!given_back)
		usleep(1000);
	usleep(100000);
	mempool_free(given_back, scarce);
	return arg;
}

static void use_up_everything(void)
{
	refuse_memory_beyond(0);
	while (kmalloc(4000, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC))
		;
	while (kmalloc(4000, __GFP_MEMALLOC | __GFP_NOWARN))
		;
}

static void wait_without_memory(void)
{
	pthread_t thread;
	void *p[4];
	int i;

	scarce = mempool_create_kmalloc_pool(4, 4000);
	pthread_create(&thread, NULL, give_back_later, NULL);
	use_up_everything();
	for (i = 0; i < 4; i++)
		if (!(p[i] = mempool_alloc(scarce, GFP_ATOMIC)))
			_exit(1);
	if (mempool_alloc(scarce, GFP_ATOMIC))
		_exit(2);
	given_back = p[2];
	_exit(mempool_alloc(scarce, GFP_NOIO) != p[2] ? 3 : 0);
}

Test(mempool, never_null_while_the_system_refuses, .timeout = 30)
{
	cr_assert_eq(exit_status(wait_without_memory), 0);
}

/*
 * No element is ever held twice, and none is lost.
 */

#define TOKENS	3

static _Atomic int holders[TOKENS];
static _Atomic int made, unmade;

static void *make_token(gfp_t gfp, void *data)
{
	(void)gfp;
	(void)data;
	return made < TOKENS ? (void *)&holders[made++] : NULL;
}

static void unmake_token(void *token, void *data)
{
	(void)token;
	(void)data;
	unmade++;
}

static void *pass_tokens_on(void *pool)
{
	_Atomic int *token;
	int i;

	for (i = 0; i < 20000; i++) {
		token = i % 3 ? mempool_alloc(pool, GFP_KERNEL) : mempool_alloc_preallocated(pool);
		if (!token)
			continue;
		cr_assert_eq(atomic_fetch_add(token, 1), 0, "held twice");
		atomic_fetch_sub(token, 1);
		mempool_free((void *)token, pool);
	}
	return NULL;
}

Test(mempool, elements_are_neither_doubled_nor_lost)
{
	mempool_t *pool = mempool_create(TOKENS, make_token, unmake_token, NULL);

	in_threads(pass_tokens_on, pool);
	cr_assert_eq(pool->curr_nr, TOKENS);
	cr_assert_eq(unmade, 0);
	mempool_destroy(pool);
	cr_assert_eq(unmade, TOKENS);
}

static void *take_many(void *pool)
{
	void *p[6];
	int i;

	for (i = 0; i < 3000; i++) {
		memset(p, 0, sizeof(p));
		cr_assert_eq(mempool_alloc_bulk(pool, p, 6, 0), 0);
		mempool_free(p[5], pool);
		p[5] = NULL;
		cr_assert_eq(mempool_alloc_bulk(pool, p, 6, 5), 0);
		cr_assert(p[0] && p[5]);
		cr_assert_eq(mempool_free_bulk(pool, p, 6), 6);
	}
	return NULL;
}

/* Who took a part and waited for the rest would wait for others that do the same. */
Test(mempool, bulk_does_not_deadlock, .timeout = 60)
{
	mempool_t *pool = mempool_create(8, may_fail, mempool_kfree, (void *)100);

	out_of_memory = true;
	in_threads(take_many, pool);
	cr_assert_eq(pool->curr_nr, 8);
}

static void *use_while_resized(void *pool)
{
	void *p[3];
	int i, k;

	for (i = 0; i < 20000; i++) {
		for (k = 0; k < 3; k++)
			cr_assert(p[k] = mempool_alloc(pool, GFP_KERNEL));
		for (k = 0; k < 3; k++)
			mempool_free(p[k], pool);
	}
	return NULL;
}

static _Atomic bool done;

static void *resize(void *pool)
{
	int i;

	for (i = 1; !done; i++)
		cr_assert_eq(mempool_resize(pool, 1 + i % 37), 0);
	return NULL;
}

Test(mempool, resized_while_in_use)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 100);
	pthread_t thread;

	pthread_create(&thread, NULL, resize, pool);
	in_threads(use_while_resized, pool);
	done = true;
	pthread_join(thread, NULL);
	cr_assert_eq(mempool_resize(pool, 50), 0);
	cr_assert_eq(pool->curr_nr, 50);
	cr_assert_eq(mempool_resize(pool, 1), 0);
	cr_assert_eq(pool->curr_nr, 1);
	mempool_destroy(pool);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* Growing by one again and again. */
Test(mempool, grows_step_by_step)
{
	mempool_t *pool = mempool_create_kmalloc_pool(1, 32);
	int i;

	for (i = 2; i < 1000; i++) {
		cr_assert_eq(mempool_resize(pool, i), 0);
		cr_assert_eq(pool->curr_nr, i);
	}
	mempool_destroy(pool);
}

Test(mempool, of_none_keeps_one_for_who_waits, .timeout = 30)
{
	mempool_t *pool = mempool_create(0, may_fail, mempool_kfree, (void *)100);
	void *p;

	out_of_memory = true;
	cr_assert(p = mempool_alloc(pool, GFP_KERNEL));
	mempool_free(p, pool);
	cr_assert_eq(mempool_alloc(pool, GFP_KERNEL), p);
}

Test(mempool, creation_fails_without_memory)
{
	mempool_t embedded;

	out_of_memory = true;
	cr_assert_null(mempool_create(3, may_fail, mempool_kfree, (void *)100));
	cr_assert_eq(mempool_init(&embedded, 3, may_fail, mempool_kfree, (void *)100), -ENOMEM);
	cr_assert_not(mempool_initialized(&embedded));
	mempool_exit(&embedded);
	out_of_memory = false;
	cr_assert_eq(mempool_init_node(&embedded, 3, may_fail, mempool_kfree, (void *)100,
				       GFP_KERNEL, NUMA_NO_NODE), 0);
	out_of_memory = true;
	cr_assert_null(mempool_alloc_noreserve(&embedded, GFP_KERNEL));
	mempool_exit(&embedded);
}

Test(mempool, resize_to_nothing_is_a_bug, .signal = SIGABRT)
{
	mempool_resize(mempool_create_kmalloc_pool(4, 100), 0);
}
