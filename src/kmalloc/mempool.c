/* SPDX-License-Identifier: MIT */
/*
 * Memory pools: a reserve of elements that is used only when there is nothing else, and comes back
 * first.  As long as everybody who takes an element frees it some time, whoever may wait gets one.
 *
 *	alloc	from the function, gently | from the reserve | from the function | wait
 *	free	to the reserve if it is not full, waking who waits | to the function
 *
 * Waiters sleep on pool->wait, which changes with every element that comes back; they look again
 * every 5 seconds in case memory came from elsewhere.
 *
 * Locks: none (mempool_reserve.c).  So a signal handler may use the pool that it interrupted, if
 * the pool's functions may be called there.
 *
 * References: Linux mm/mempool.c.
 */
#include "kmalloc/mempool_reserve.h"

#include <errno.h>

#include "lib/bug.h"
#include "os/lock.h"
#include "os/options.h"

#define WAIT_MS	5000

static _Atomic uint32_t *wait_of(mempool_t *pool)
{
	return (_Atomic uint32_t *)&pool->wait;
}

static _Atomic uint32_t *waiters_of(mempool_t *pool)
{
	return (_Atomic uint32_t *)&pool->waiters;
}

static void wake(mempool_t *pool)
{
	/* The waiter counts itself, then looks at the reserve; we filled the reserve, then look. */
	atomic_fetch_add(wait_of(pool), 1);
	if (unlikely(atomic_load(waiters_of(pool))))
		os_futex_wake_all(wait_of(pool));
}

/*
 * Life.
 */

static void exit_pool(mempool_t *pool)
{
	void *element;

	while ((element = reserve_take(pool, true)))
		pool->free(element, pool->pool_data);
	reserve_free_room(pool);
}

static int init_pool(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		     mempool_free_t *free_fn, void *pool_data, gfp_t gfp)
{
	*pool = (mempool_t){
		.min_nr = min_nr, .pool_data = pool_data, .alloc = alloc_fn, .free = free_fn,
	};
	if (!reserve_make_room(pool, min_nr, gfp))
		return -ENOMEM;
	while (pool->curr_nr < reserve_wanted(pool)) {
		void *element = alloc_fn(gfp, pool_data);

		if (unlikely(!element)) {
			exit_pool(pool);
			return -ENOMEM;
		}
		reserve_put(pool, element);
	}
	return 0;
}

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data)
{
	return init_pool(pool, min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL);
}

int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node)
{
	(void)node;
	return init_pool(pool, min_nr, alloc_fn, free_fn, pool_data, gfp);
}

static mempool_t *create_pool(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			      void *pool_data, gfp_t gfp)
{
	mempool_t *pool = do_kmalloc(sizeof(*pool), gfp);

	if (!pool || !init_pool(pool, min_nr, alloc_fn, free_fn, pool_data, gfp))
		return pool;
	do_kfree(pool);
	return NULL;
}

mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data)
{
	return create_pool(min_nr, alloc_fn, free_fn, pool_data, GFP_KERNEL);
}

mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int node)
{
	(void)node;
	return create_pool(min_nr, alloc_fn, free_fn, pool_data, gfp);
}

void mempool_exit(mempool_t *pool)
{
	if (pool && pool->elements)
		exit_pool(pool);
}

void mempool_destroy(mempool_t *pool)
{
	mempool_exit(pool);
	do_kfree(pool);
}

/*
 * Resizing, while others use the pool.
 */

static int shrink_to(mempool_t *pool, int min_nr)
{
	void *element;

	WRITE_ONCE(pool->min_nr, min_nr);
	while (READ_ONCE(pool->curr_nr) > min_nr && (element = reserve_take(pool, true)))
		pool->free(element, pool->pool_data);
	return 0;
}

static int grow_to(mempool_t *pool, int min_nr)
{
	void *element;

	if (!reserve_make_room(pool, min_nr, GFP_KERNEL))
		return -ENOMEM;
	WRITE_ONCE(pool->min_nr, min_nr);
	while (READ_ONCE(pool->curr_nr) < min_nr) {
		element = pool->alloc(GFP_KERNEL, pool->pool_data);
		if (!element)
			break;			/* the next frees fill it up */
		if (!reserve_put(pool, element)) {
			pool->free(element, pool->pool_data);
			break;
		}
		wake(pool);
	}
	return 0;
}

int mempool_resize(mempool_t *pool, int min_nr)
{
	BUG_ON(min_nr <= 0);
	if (min_nr <= pool->min_nr)
		return shrink_to(pool, min_nr);
	return grow_to(pool, min_nr);
}

/*
 * Use.
 */

static void *wait_for_element(mempool_t *pool)
{
	uint32_t seen = atomic_load(wait_of(pool));
	void *element;

	atomic_fetch_add(waiters_of(pool), 1);
	element = reserve_take(pool, true);
	if (!element)
		os_futex_wait(wait_of(pool), seen, WAIT_MS);
	atomic_fetch_sub(waiters_of(pool), 1);
	return element;
}

/* A caller that may block maps memory where there is some, rather than use up the reserve. */
static void *alloc_gently(mempool_t *pool, gfp_t gfp)
{
	const gfp_t gentle = gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
	static _Atomic unsigned long requests;
	void *element;

	if (fault_due(&requests, options.fail_mempool_alloc))
		return NULL;
	element = pool->alloc(gentle, pool->pool_data);
	if (!element && gfp_may_block(gfp) && gfp_refill())
		element = pool->alloc(gentle, pool->pool_data);
	return element;
}

static __slow void *alloc_or_wait(mempool_t *pool, gfp_t gfp)
{
	void *element = reserve_take(pool, gfp_may_block(gfp));

	while (!element && gfp_may_block(gfp)) {
		element = pool->alloc(gfp, pool->pool_data);
		if (!element)
			element = wait_for_element(pool);
	}
	return element;
}

void *mempool_alloc(mempool_t *pool, gfp_t gfp)
{
	void *element;

	if (gfp & __GFP_ZERO)
		warn("mempool_alloc does not know __GFP_ZERO");
	gfp = (gfp & ~__GFP_ZERO) | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	element = alloc_gently(pool, gfp);
	return likely(element) ? element : alloc_or_wait(pool, gfp);
}

void *mempool_alloc_preallocated(mempool_t *pool)
{
	return reserve_take(pool, false);
}

void *mempool_alloc_noreserve(mempool_t *pool, gfp_t gfp)
{
	return pool->alloc(gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN, pool->pool_data);
}

static void free_element(mempool_t *pool, void *element)
{
	if (reserve_put(pool, element))
		wake(pool);
	else
		pool->free(element, pool->pool_data);
}

void mempool_free(void *element, mempool_t *pool)
{
	if (likely(element))
		free_element(pool, element);
}

static unsigned fill_from_function(mempool_t *pool, void **elements, unsigned count, gfp_t gfp)
{
	static _Atomic unsigned long requests;
	bool fail = fault_due(&requests, options.fail_mempool_alloc_bulk);
	unsigned i, missing = 0;

	for (i = 0; i < count; i++) {
		if (!elements[i] && !fail)
			elements[i] = pool->alloc(gfp, pool->pool_data);
		missing += !elements[i];
	}
	return missing;
}

int mempool_alloc_bulk(mempool_t *pool, void **elements, unsigned count, unsigned allocated)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
	unsigned missing;
	uint32_t seen;

	if (count > (unsigned)pool->min_nr) {
		warn("mempool_alloc_bulk of %u elements, more than the reserve", count);
		return -EINVAL;
	}
	(void)allocated;
	for (;;) {
		seen = atomic_load(wait_of(pool));
		missing = fill_from_function(pool, elements, count, gfp);
		/* All or none: two who each held a part of the reserve would wait for ever. */
		if (!missing || reserve_take_missing(pool, elements, count, missing))
			return 0;
		atomic_fetch_add(waiters_of(pool), 1);
		os_futex_wait(wait_of(pool), seen, WAIT_MS);
		atomic_fetch_sub(waiters_of(pool), 1);
	}
}

unsigned mempool_free_bulk(mempool_t *pool, void **elements, unsigned count)
{
	unsigned freed = 0;

	while (freed < count && reserve_put(pool, elements[freed]))
		freed++;
	if (freed)
		wake(pool);
	return freed;
}
