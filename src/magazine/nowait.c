/* SPDX-License-Identifier: MIT */
/*
 * Allocation for those who may not wait: GFP_NOWAIT, GFP_ATOMIC, kmalloc_nolock.
 *
 * The same places as always are asked, in the same order, but for one object and with locks that
 * are tried for no longer than somebody may hold them.  A lock that cannot be had (its holder was
 * preempted, or is the slow path that the calling signal handler interrupted) counts as a place
 * that is empty.
 *
 * Locks: depot.lock, slab and zone locks, each tried.
 */
#include "magazine/nowait.h"

enum gate_pass gate_try_enter(void)
{
	if (atomic_load_explicit(&thread_tls.busy, memory_order_relaxed))
		return GATE_NESTED;
	/* seq_cst: as in gate_enter */
	atomic_store(&thread_tls.busy, 1);
	if (unlikely(!thread_tls.thread))
		atomic_fetch_add(&gate_unlisted, 1);
	if (likely(!atomic_load(&gate_forks)) || thread_tls.forking)
		return GATE_ENTERED;
	gate_leave_try(GATE_ENTERED);
	return GATE_CLOSED;
}

/* Without the look at the clock of gate_leave, which might purge. */
void gate_leave_try(enum gate_pass pass)
{
	if (pass != GATE_ENTERED)
		return;
	if (unlikely(!thread_tls.thread))
		atomic_fetch_sub(&gate_unlisted, 1);
	/* release: what was done inside is seen by whoever sees the thread outside */
	atomic_store_explicit(&thread_tls.busy, 0, memory_order_release);
}

static void *from_previous(struct thread_class *tc)
{
	struct magazine *mag;
	void *object = NULL;

	/* acq_rel: pairs with the exchanges of magazine.c and of who steals from idle threads */
	mag = atomic_exchange_explicit(&tc->previous, NULL, memory_order_acq_rel);
	if (!mag)
		return NULL;
	if (!magazine_is_empty(mag)) {
		object = magazine_take(mag);
		ADD_ONCE(tc->handed, (int32_t)sizeof(void *));
	}
	atomic_store_explicit(&tc->previous, mag, memory_order_release);
	return object;
}

static void *from_depot(struct depot *d)
{
	struct magazine *mag;
	void *object;

	if (!READ_ONCE(d->nr_full) || !os_mutex_spin(&d->lock))
		return NULL;
	if (list_empty(&d->full)) {
		os_mutex_unlock(&d->lock);
		return NULL;
	}
	mag = list_first(&d->full, struct magazine, list);
	object = magazine_take(mag);
	ADD_ONCE(d->handed, (ptrdiff_t)sizeof(void *));
	if (magazine_is_empty(mag)) {
		list_del(&mag->list);
		SUB_ONCE(d->nr_full, 1);
		d->full_low = min(d->full_low, d->nr_full);
		list_add(&mag->list, &d->empty);
		d->nr_empty++;
	}
	os_mutex_unlock(&d->lock);
	return object;
}

void *magazine_alloc_nowait(struct kmem_cache *s, struct thread_class *tc, size_t keep)
{
	void *object = tc ? from_previous(tc) : NULL;

	if (!object)
		object = from_depot(&s->depot);
	if (!object && !slab_alloc_nowait(s, &object, keep))
		return NULL;
	return object;
}
