/* SPDX-License-Identifier: MIT */
/*
 * The reserve of a memory pool, without a lock: a signal handler that interrupted mempool_free
 * takes and gives elements of the same pool, and so do real-time threads.
 *
 * Elements are opaque, so they cannot be linked; they stand in tables of slots, of which growing
 * adds one.  Old tables stay until the end of the pool, since others may be looking at them.
 *
 *	put	count one more in pool->km_reserved | fill an empty slot | count it in curr_nr
 *	take	count one less in curr_nr | empty a full slot | count it in pool->km_reserved
 *
 * Invariants, at every moment: curr_nr <= full slots <= km_reserved <= slots.  So whoever has
 * counted finds a slot, however many others are in between, and the reserve never holds more than
 * wanted at the time.
 *
 * fork(): both run inside the gate if they can.  Who must not wait while it is closed goes on; in
 * the child such an element counts as one that a thread holds which did not come along.
 *
 * Locks: none; the counters and slots are sequentially consistent.
 */
#include "kmalloc/mempool_reserve.h"

#include <limits.h>

struct reserve_table {
	struct reserve_table *older;
	size_t nr;
	_Atomic(void *) slot[];
};

static _Atomic int *count_of(mempool_t *pool)
{
	return (_Atomic int *)&pool->curr_nr;
}

static _Atomic int *reserved_of(mempool_t *pool)
{
	return (_Atomic int *)&pool->km_reserved;
}

static struct reserve_table *newest(mempool_t *pool)
{
	void **slots = __atomic_load_n(&pool->elements, __ATOMIC_SEQ_CST);

	return slots ? container_of((_Atomic(void *) *)slots, struct reserve_table, slot[0]) : NULL;
}

/*
 * Room.
 */

static size_t room_of(mempool_t *pool)
{
	struct reserve_table *table;
	size_t nr = 0;

	for (table = newest(pool); table; table = table->older)
		nr += table->nr;
	return nr;
}

static struct reserve_table *new_table(size_t nr, gfp_t gfp)
{
	struct reserve_table *table = do_kvmalloc(sizeof(*table) + nr * sizeof(table->slot[0]),
						  gfp | __GFP_ZERO);

	if (table)
		table->nr = nr;
	return table;
}

/* Each table is as large as all before it, so that a pool that grows by ones has few. */
bool reserve_make_room(mempool_t *pool, int nr, gfp_t gfp)
{
	size_t want = (size_t)max(nr, 1), have = room_of(pool);
	struct reserve_table *table;
	void **before;

	if (have >= want)
		return true;
	table = new_table(max(want - have, have), gfp);
	if (!table)
		return false;
	before = __atomic_load_n(&pool->elements, __ATOMIC_SEQ_CST);
	do {
		table->older = before ? container_of((_Atomic(void *) *)before,
						     struct reserve_table, slot[0]) : NULL;
	} while (!__atomic_compare_exchange_n(&pool->elements, &before, (void **)table->slot, true,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

void reserve_free_room(mempool_t *pool)
{
	struct reserve_table *table = newest(pool), *older;

	pool->elements = NULL;
	for (; table; table = older) {
		older = table->older;
		do_kfree(table);
	}
}

/*
 * Taking and giving.
 */

static enum gate_pass enter(bool may_wait)
{
	enum gate_pass pass = gate_try_enter();

	/* What is waited for is the other thread's fork(). */
	if (unlikely(pass == GATE_CLOSED) && may_wait && heap_enter_wait())
		return GATE_ENTERED;
	return pass;
}

/* Counts @by more or less, within [0, @limit]. */
static bool count(_Atomic int *counter, int by, int limit)
{
	int nr = atomic_load(counter);

	do {
		if (nr + by < 0 || nr + by > limit)
			return false;
	} while (!atomic_compare_exchange_weak(counter, &nr, nr + by));
	return true;
}

static void *empty_slot_of(struct reserve_table *table)
{
	void *element;
	size_t i;

	for (i = table->nr; i > 0; i--) {
		if (!atomic_load(&table->slot[i - 1]))
			continue;
		element = atomic_exchange(&table->slot[i - 1], NULL);
		if (element)
			return element;
	}
	return NULL;
}

/* Whoever has counted finds one. */
static void *empty_slot(mempool_t *pool)
{
	struct reserve_table *table = NULL;
	void *element = NULL;

	while (!element) {
		table = table ? table->older : newest(pool);
		element = table ? empty_slot_of(table) : NULL;
	}
	return element;
}

static void fill_slot(mempool_t *pool, void *element)
{
	struct reserve_table *table;
	void *none;
	size_t i;

	for (;;)
		for (table = newest(pool); table; table = table->older)
			for (i = 0; i < table->nr; i++) {
				none = NULL;
				if (!atomic_load(&table->slot[i]) &&
				    atomic_compare_exchange_strong(&table->slot[i], &none, element))
					return;
			}
}

void *reserve_take(mempool_t *pool, bool may_wait)
{
	enum gate_pass pass;
	void *element = NULL;

	if (!atomic_load(count_of(pool)))
		return NULL;
	pass = enter(may_wait);
	if (count(count_of(pool), -1, INT_MAX)) {
		element = empty_slot(pool);
		atomic_fetch_sub(reserved_of(pool), 1);
	}
	gate_leave_try(pass);
	return element;
}

bool reserve_take_missing(mempool_t *pool, void **elements, unsigned nr, unsigned missing)
{
	enum gate_pass pass = enter(true);
	bool enough = count(count_of(pool), -(int)missing, INT_MAX);
	unsigned i;

	for (i = 0; i < nr && enough; i++) {
		if (elements[i])
			continue;
		elements[i] = empty_slot(pool);
		atomic_fetch_sub(reserved_of(pool), 1);
	}
	gate_leave_try(pass);
	return enough;
}

bool reserve_put(mempool_t *pool, void *element)
{
	enum gate_pass pass;
	bool put;

	if (atomic_load(reserved_of(pool)) >= reserve_wanted(pool))
		return false;
	pass = enter(true);
	put = count(reserved_of(pool), 1, reserve_wanted(pool));
	if (put) {
		fill_slot(pool, element);
		atomic_fetch_add(count_of(pool), 1);
	}
	gate_leave_try(pass);
	return put;
}
