/* SPDX-License-Identifier: MIT */
/*
 * Giving back what is cached, from the top down: idle threads' magazines, depots, empty slabs,
 * and then the pages (mm/reclaim.c).  Each layer gives what nobody needed in the last epoch to the
 * layer below, so memory that went out of use reaches the system after a few epochs.
 */
#include "magazine/thread.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

uint32_t trim_epochs;

static void trim_depot(struct kmem_cache *s, void *arg)
{
	(void)arg;
	depot_trim(s, false);
	slab_purge_holes(s, false);
}

static void trim_cache(struct kmem_cache *s, void *arg)
{
	(void)arg;
	depot_trim(s, true);
	slab_shrink(s);
	*(size_t *)arg += slab_purge_holes(s, true);
}

void trim_epoch(void)
{
	WRITE_ONCE(trim_epochs, READ_ONCE(trim_epochs) + 1);
	thread_steal_idle(false);
	cache_for_each(trim_depot, NULL);
	reclaim_epoch();
}

static size_t trim_caches(void)
{
	size_t pages = 0;

	thread_flush_self();
	thread_steal_idle(true);
	cache_for_each(trim_cache, &pages);
	return pages;
}

/*
 * A process that ends has no use for its magazines.  Putting all of them into their slabs finds
 * every object that was freed twice, by whichever thread; if there are too many, only
 * the calling thread's are looked at.
 */

#define AUDIT_ROUNDS	16384u

static void count_depot(struct kmem_cache *s, void *arg)
{
	*(size_t *)arg += (size_t)READ_ONCE(s->depot.nr_full) * s->max_rounds;
}

static void drain_depot(struct kmem_cache *s, void *arg)
{
	(void)arg;
	depot_trim(s, true);
}

void trim_audit(void)
{
	size_t rounds = 0;

	thread_audit_self();
	cache_for_each(count_depot, &rounds);
	if (rounds > AUDIT_ROUNDS)
		return;
	thread_flush_self();
	cache_for_each(drain_depot, NULL);
}

/* Layers purge on their own too while others give to them: the zone counts it all. */
size_t trim_all(void)
{
	size_t before = READ_ONCE(zone.purged);

	thread_flush_hardened();
	trim_caches();
	reclaim_all();
	return READ_ONCE(zone.purged) - before;
}

/*
 * Without a helper thread, nobody trims a process that has gone idle, so it is trimmed while it
 * shrinks: whenever what is in use has fallen by a quarter since the last look.  What
 * caches and holes keep is then bounded by what is in use, and since each trim takes a heap of
 * three quarters the size, all of them together cost a few times the first.
 */

static _Atomic size_t used_peak;	/* pages in use: the most since the last trim */

static void add_free(struct kmem_cache *s, void *arg)
{
	size_t depot = (size_t)READ_ONCE(s->depot.nr_full) * s->max_rounds;

	*(size_t *)arg += (READ_ONCE(s->nr_free) + depot) * s->size;
}

void trim_if_shrunk(void)
{
	size_t used = reclaim_used_pages(), peak = ATOMIC_READ(used_peak), cached = 0;

	cache_for_each(add_free, &cached);
	cached >>= PAGE_SHIFT;
	used -= min(used, cached);
	ATOMIC_WRITE(reclaim_live_pages, used);
	if (used >= peak - peak / 4) {
		ATOMIC_WRITE(used_peak, max(used, peak));
		return;
	}
	ATOMIC_WRITE(used_peak, used);
	if (cached + reclaim_dirty_pages() <= reclaim_slack())
		return;
	reclaim_note_purge(trim_caches());
	reclaim_note_free();
	zone_purge_metadata();
}
