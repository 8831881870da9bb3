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
 * Locks: pool->lock for the reserve, inside the gate so that fork() never finds it taken; callers
 * that may not wait try both.  The functions of the pool are called with no lock held.
 *
 * References: Linux mm/mempool.c.
 */
#include "kmalloc/api.h"

#include <errno.h>

#include "lib/bug.h"
#include "os/lock.h"

#define WAIT_MS	5000

static_assert(sizeof(struct os_mutex) <= sizeof(((mempool_t *)0)->lock), "the lock fits");

static struct os_mutex *lock_of(mempool_t *pool)
{
	return (struct os_mutex *)pool->lock;
}

static _Atomic uint32_t *wait_of(mempool_t *pool)
{
	return (_Atomic uint32_t *)&pool->wait;
}

static _Atomic uint32_t *waiters_of(mempool_t *pool)
{
	return (_Atomic uint32_t *)&pool->waiters;
}

/*
 * In and out: in a signal handler that interrupted the holder of the lock it cannot be had.
 */

static bool pool_lock(mempool_t *pool, enum gate_pass *pass)
{
	unsigned i;

	for (i = 0; (*pass = gate_try_enter()) == GATE_CLOSED; i++)
		os_yield_cpu(i);
	while (!os_mutex_spin(lock_of(pool))) {
		if (*pass == GATE_NESTED)
			return false;
		os_yield_cpu(~0u);
	}
	return true;
}

static void pool_unlock(mempool_t *pool, enum gate_pass pass)
{
	os_mutex_unlock(lock_of(pool));
	gate_leave_try(pass);
}

static void *take_reserve(mempool_t *pool)
{
	enum gate_pass pass;
	void *element = NULL;

	if (!pool_lock(pool, &pass))
		return NULL;
	if (pool->curr_nr)
		element = pool->elements[--pool->curr_nr];
	pool_unlock(pool, pass);
	return element;
}

/* A pool of none keeps one all the same, for who waits. */
static int wanted(const mempool_t *pool)
{
	int nr = READ_ONCE(pool->min_nr);

	return nr > 0 ? nr : 1;
}

/* False if the reserve is full. */
static bool put_reserve(mempool_t *pool, void *element)
{
	enum gate_pass pass;
	bool put;

	if (READ_ONCE(pool->curr_nr) >= wanted(pool) || !pool_lock(pool, &pass))
		return false;
	put = pool->curr_nr < wanted(pool);
	if (put)
		pool->elements[pool->curr_nr++] = element;
	pool_unlock(pool, pass);
	return put;
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
	while (pool->curr_nr)
		pool->free(pool->elements[--pool->curr_nr], pool->pool_data);
	do_kfree(pool->elements);
	pool->elements = NULL;
}

static size_t table_size(int nr)
{
	return (size_t)(nr > 0 ? nr : 1) * sizeof(void *);
}

static int init_pool(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		     mempool_free_t *free_fn, void *pool_data, gfp_t gfp)
{
	*pool = (mempool_t){
		.min_nr = min_nr, .pool_data = pool_data, .alloc = alloc_fn, .free = free_fn,
	};
	os_mutex_init(lock_of(pool), RANK_INIT);
	pool->elements = do_kvmalloc(table_size(min_nr), gfp);
	if (!pool->elements)
		return -ENOMEM;
	while (pool->curr_nr < wanted(pool)) {
		void *element = alloc_fn(gfp, pool_data);

		if (unlikely(!element)) {
			exit_pool(pool);
			return -ENOMEM;
		}
		pool->elements[pool->curr_nr++] = element;
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
	enum gate_pass pass;
	void *element;

	if (!pool_lock(pool, &pass))
		return -EBUSY;
	pool->min_nr = min_nr;
	pool_unlock(pool, pass);
	while (READ_ONCE(pool->curr_nr) > min_nr && (element = take_reserve(pool)))
		pool->free(element, pool->pool_data);
	return 0;
}

static void **exchange_table(mempool_t *pool, void **table, int min_nr)
{
	enum gate_pass pass;
	void **old;
	int i;

	if (!pool_lock(pool, &pass))
		return table;
	old = pool->elements;
	for (i = 0; i < pool->curr_nr; i++)
		table[i] = old[i];
	pool->elements = table;
	pool->min_nr = min_nr;
	pool_unlock(pool, pass);
	return old;
}

static int grow_to(mempool_t *pool, int min_nr)
{
	void **table = do_kvmalloc(table_size(min_nr), GFP_KERNEL), *element;

	if (!table)
		return -ENOMEM;
	do_kfree(exchange_table(pool, table, min_nr));
	while (READ_ONCE(pool->curr_nr) < min_nr) {
		element = pool->alloc(GFP_KERNEL, pool->pool_data);
		if (!element)
			break;			/* the next frees fill it up */
		if (!put_reserve(pool, element)) {
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
	element = take_reserve(pool);
	if (!element)
		os_futex_wait(wait_of(pool), seen, WAIT_MS);
	atomic_fetch_sub(waiters_of(pool), 1);
	return element;
}

/* A caller that may block maps memory where there is some, rather than use up the reserve. */
static void *alloc_gently(mempool_t *pool, gfp_t gfp)
{
	const gfp_t gentle = gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_IO);
	void *element = pool->alloc(gentle, pool->pool_data);

	if (!element && gfp_may_block(gfp) && gfp_refill())
		element = pool->alloc(gentle, pool->pool_data);
	return element;
}

static __slow void *alloc_or_wait(mempool_t *pool, gfp_t gfp)
{
	void *element = take_reserve(pool);

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
	return take_reserve(pool);
}

void *mempool_alloc_noreserve(mempool_t *pool, gfp_t gfp)
{
	return pool->alloc(gfp | __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN, pool->pool_data);
}

static void free_element(mempool_t *pool, void *element)
{
	if (put_reserve(pool, element))
		wake(pool);
	else
		pool->free(element, pool->pool_data);
}

void mempool_free(void *element, mempool_t *pool)
{
	if (likely(element))
		free_element(pool, element);
}

/* All that are missing, or none: two who each held a part of the reserve would wait for ever. */
static bool take_missing(mempool_t *pool, void **elements, unsigned count, unsigned missing)
{
	enum gate_pass pass;
	bool enough;
	unsigned i;

	if (!pool_lock(pool, &pass))
		return false;
	enough = (unsigned)pool->curr_nr >= missing;
	for (i = 0; i < count && enough; i++)
		if (!elements[i])
			elements[i] = pool->elements[--pool->curr_nr];
	pool_unlock(pool, pass);
	return enough;
}

static unsigned fill_from_function(mempool_t *pool, void **elements, unsigned count, gfp_t gfp)
{
	unsigned i, missing = 0;

	for (i = 0; i < count; i++) {
		if (!elements[i])
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
		if (!missing || take_missing(pool, elements, count, missing))
			return 0;
		atomic_fetch_add(waiters_of(pool), 1);
		os_futex_wait(wait_of(pool), seen, WAIT_MS);
		atomic_fetch_sub(waiters_of(pool), 1);
	}
}

unsigned mempool_free_bulk(mempool_t *pool, void **elements, unsigned count)
{
	unsigned freed = 0;

	while (freed < count && put_reserve(pool, elements[freed]))
		freed++;
	if (freed)
		wake(pool);
	return freed;
}
