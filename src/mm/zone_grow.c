/* SPDX-License-Identifier: MIT */
/*
 * Growth of the zone: reserved address space becomes usable.
 *
 * The steps are small at first, so that a small program's metadata stays within a few pages, and
 * grow with the heap.  A step is reserved under the lock, committed outside of it, since that
 * is a system call, and added under the lock again; several threads may be at it at once.
 *
 * Locks: zone.lock for region.grown and the lists.
 */
#include "mm/zone_block.h"

#include "lib/bits.h"

/* Set while one thread reserves a further region; not a lock, since that is a system call. */
static _Atomic bool creating_region;

#define GROW_MIN	((size_t)256 << 10)
#define GROW_MAX	((size_t)32 << 20)

/* Small at first, so that a small program's metadata stays within a few pages. */
static size_t grow_step(void)
{
	return max(min(zone.managed * PAGE_SIZE / 4, GROW_MAX), GROW_MIN);
}

/* A range of the newest region that holds an aligned block of @order, or false. */
static bool grow_reserve(struct region *r, unsigned order, size_t step, uintptr_t range[2])
{
	size_t block = PAGE_SIZE << order;
	size_t unit = step < BLOCK_SIZE ? GROW_MIN : BLOCK_SIZE;
	uintptr_t least = align_up(r->grown, block) + block;
	uintptr_t end = max(least, align_up(r->grown + step, unit));

	if (end > r->end)
		end = least;
	if (end > r->end || end < r->grown)
		return false;
	range[0] = r->grown;
	range[1] = end;
	r->grown = end;
	return true;
}

static bool grow_add(struct region *r, uintptr_t start, uintptr_t end)
{
	size_t pages = (end - start) >> PAGE_SHIFT;

	if (region_commit(r, start, end - start))
		return false;
	os_mutex_lock(&zone.lock);
	range_free(r, (start - r->base) >> PAGE_SHIFT, pages);
	ADD_ONCE(zone.managed, pages);
	os_mutex_unlock(&zone.lock);
	return true;
}

/* The system refused: hand the range back if nobody reserved behind it meanwhile. */
static void grow_undo(struct region *r, const uintptr_t range[2])
{
	os_mutex_lock(&zone.lock);
	if (r->grown == range[1])
		r->grown = range[0];
	os_mutex_unlock(&zone.lock);
}

static bool grow_in(struct region *r, unsigned order, size_t step)
{
	uintptr_t range[2];
	bool reserved;

	os_mutex_lock(&zone.lock);
	reserved = grow_reserve(r, order, step ? step : grow_step(), range);
	os_mutex_unlock(&zone.lock);
	if (!reserved)
		return false;
	if (grow_add(r, range[0], range[1]))
		return true;
	grow_undo(r, range);
	return false;
}

static bool grow_region(void)
{
	bool done, taken = false;

	if (!atomic_compare_exchange_strong(&creating_region, &taken, true)) {
		os_yield_cpu(~0u);
		return true;		/* the other thread may have made one: look again */
	}
	done = region_create() != NULL;
	atomic_store(&creating_region, false);
	return done;
}

/* A generous step first, then just what is needed, then a new region. */
bool zone_grow(unsigned order)
{
	unsigned nr = atomic_load_explicit(&nr_regions, memory_order_acquire);

	if (nr && (grow_in(&regions[nr - 1], order, 0) ||
		   grow_in(&regions[nr - 1], order, PAGE_SIZE << order)))
		return true;
	return grow_region();
}
