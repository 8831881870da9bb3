/* SPDX-License-Identifier: MIT */
/*
 * Depots: where threads exchange magazines.
 *
 * A magazine changes hands as a whole, in a critical section of a few instructions, whatever is in
 * it: that is what makes memory that one thread allocates and another one frees cheap.
 *
 * But the objects in a depot are in the order in which they were freed, and a program that
 * gets scattered objects touches scattered memory.  So what a depot does not need goes back to the
 * slabs, where the bitmap sorts it by address.  It does not need what was there all through an
 * epoch (the fewest magazines seen in it: Bonwick's working set), nor more than max_full.
 * max_full starts low.  When a depot runs empty that has sent magazines to the slabs in the same
 * epoch, it was too low, and rises by one, up to a 16th of the cache's slabs or max_bytes().
 *
 * Locks: depot.lock for lists and counters; magazines on a list belong to the depot.  Draining
 * happens without it.
 *
 * References: Bonwick and Adams, "Magazines and Vmem" (USENIX 2001), sections 3.3 and 3.7;
 * the barns of Linux mm/slub.c.
 */
#include "lib/bug.h"
#include "magazine/depot.h"

#define MAX_BYTES	(1u << 20)	/* of a depot, in rounds */
#define LARGE_ROUND	2048u		/* bytes */
#define MAX_EMPTY	16		/* of a depot; more go back to their slab */

static struct magazine *pop_coldest_full(struct depot *d)
{
	struct magazine *mag = list_last(&d->full, struct magazine, list);

	list_del(&mag->list);
	SUB_ONCE(d->nr_full, 1);
	d->full_low = min(d->full_low, d->nr_full);
	return mag;
}

/*
 * Going through the slabs costs the same for an object of any size, what it keeps from others does
 * not: the larger the objects, the fewer a depot may learn to hold.
 */
static size_t max_bytes(const struct kmem_cache *s)
{
	size_t slabs = ((size_t)READ_ONCE(s->nr_slabs) << s->order) * (PAGE_SIZE / 16);

	return max((size_t)MAX_BYTES / (s->size / LARGE_ROUND + 1), slabs);
}

void depot_learn(struct kmem_cache *s)
{
	struct depot *d = &s->depot;

	d->barn_get_fail++;
	if (!d->overflows)
		return;
	d->overflows--;
	if ((size_t)d->max_full * s->max_rounds * s->size < max_bytes(s))
		ADD_ONCE(d->max_full, 1);
}

static void drain(struct kmem_cache *s, struct magazine *mag)
{
	unsigned rounds = magazine_rounds(mag);

	slab_flush(s, magazine_bottom(mag), rounds);
	thread_tls.drained += rounds * s->size;
	magazine_set_rounds(mag, 0);
}

struct magazine *depot_get_full(struct kmem_cache *s, struct magazine *empty)
{
	return depot_swap_empty(s, empty);
}

struct magazine *depot_get_empty(struct kmem_cache *s)
{
	return depot_put_full(s, NULL);
}

/* What was left there last is full; the coldest one goes to its slabs instead. */
struct magazine *depot_overflow(struct kmem_cache *s, struct magazine *empty)
{
	struct depot *d = &s->depot;
	struct magazine *cold = pop_coldest_full(d);

	d->overflows++;
	d->barn_put_fail++;
	os_mutex_unlock(&d->lock);
	drain(s, cold);
	if (!empty)
		return cold;
	depot_put(s, cold);
	return empty;
}

struct magazine *depot_put_full(struct kmem_cache *s, struct magazine *full)
{
	return depot_swap_full(s, full);
}

void depot_put(struct kmem_cache *s, struct magazine *mag)
{
	struct depot *d = &s->depot;
	bool surplus;

	if (!magazine_is_empty(mag)) {
		mag = depot_put_full(s, mag);
		if (!mag)
			return;
	}
	os_mutex_lock(&d->lock);
	surplus = d->nr_empty >= MAX_EMPTY;
	if (!surplus)
		depot_push(mag, &d->empty, &d->nr_empty);
	os_mutex_unlock(&d->lock);
	if (surplus)
		magazine_delete(s, mag);
}

void magazine_drain(struct kmem_cache *s, struct magazine *mag)
{
	drain(s, mag);
	depot_put(s, mag);
}

static struct magazine *take_coldest(struct depot *d)
{
	struct magazine *mag;

	os_mutex_lock(&d->lock);
	mag = d->nr_full ? pop_coldest_full(d) : NULL;
	os_mutex_unlock(&d->lock);
	return mag;
}

/* How many nobody needed; a new epoch begins. */
static void take_lows(struct depot *d, bool all, unsigned *full, unsigned *empty)
{
	os_mutex_lock(&d->lock);
	*full = all ? d->nr_full : d->full_low;
	*empty = all ? d->nr_empty : d->empty_low;
	d->full_low = d->nr_full - *full;
	WRITE_ONCE(d->max_full, max(d->max_full - min(*full, d->max_full), d->min_max_full));
	d->overflows = 0;
	d->empty_low = d->nr_empty - *empty;
	os_mutex_unlock(&d->lock);
}

void depot_trim(struct kmem_cache *s, bool all)
{
	struct magazine *mag;
	unsigned full, empty;

	take_lows(&s->depot, all, &full, &empty);
	while (full-- && (mag = take_coldest(&s->depot))) {
		drain(s, mag);
		magazine_delete(s, mag);
	}
	while (empty-- && (mag = depot_get_empty(s)))
		magazine_delete(s, mag);
}
