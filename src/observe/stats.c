/* SPDX-License-Identifier: MIT */
/*
 * Snapshots.
 *
 * Nothing is counted for statistics on the fast paths: a free in a thread's magazine moves a
 * pointer and no more. What is live is therefore found by subtraction: objects in slabs, less
 * what slabs, depots and threads' magazines hold free. The terms are read one after another while
 * the program runs, so each is bounded by what is left of the sum before it is subtracted.
 *
 * Locks: cache.lock, depot.lock, the list of threads, zone.lock and vmap's, one at a time, inside
 * the gate, so that fork() finds none of them taken.
 */
#include "observe/stats.h"

#include <string.h>

#include "harden/harden.h"
#include "kmalloc/api.h"
#include "mm/vmap.h"
#include "mm/zone.h"

bool thread_rounds_get(struct thread_rounds *rounds)
{
	memset(rounds, 0, sizeof(*rounds));
	if (!gate_enter())
		return false;
	thread_count_classes(rounds->of_class);
	gate_leave();
	return true;
}

/* @part of *rest, as far as it goes. */
static size_t take(size_t *rest, size_t part)
{
	size_t taken = min(*rest, part);

	*rest -= taken;
	return taken;
}

static size_t depot_rounds(struct depot *d)
{
	struct list_node *pos;
	size_t rounds = 0;

	os_mutex_lock(&d->lock);
	list_for_each(pos, &d->full)
		rounds += magazine_rounds(list_entry(pos, struct magazine, list));
	os_mutex_unlock(&d->lock);
	return rounds;
}

/* Caches of the program are the ones that malloc uses and those that it created itself. */
static bool is_own(const struct kmem_cache *s)
{
	return s->map_value > NR_KMALLOC_CLASSES &&
	       !user_cache_of((struct kmem_cache *)(uintptr_t)s);
}

static struct thread_count of_threads(struct kmem_cache *s, const struct thread_rounds *rounds)
{
	if (!rounds)
		return (struct thread_count){ 0, 0 };
	if (s->map_value > NR_KMALLOC_CLASSES)
		return thread_count_cache(s);
	return rounds->of_class[s->map_value];
}

static void count_exchanges(struct depot *d, struct cache_stats *stats)
{
	os_mutex_lock(&d->lock);
	stats->barn_get_fail = d->barn_get_fail;
	stats->barn_get = d->barn_get - d->barn_get_fail;
	stats->barn_put_fail = d->barn_put_fail;
	stats->barn_put = d->barn_put - d->barn_put_fail;
	os_mutex_unlock(&d->lock);
	stats->sheaf_alloc = ATOMIC_READ(d->sheaf_alloc);
	stats->sheaf_free = ATOMIC_READ(d->sheaf_free);
	stats->sheaf_prefill = ATOMIC_READ(d->sheaf_prefill);
	stats->sheaf_prefill_oversize = ATOMIC_READ(d->sheaf_prefill_oversize);
	stats->sheaf_return = ATOMIC_READ(d->sheaf_return);
}

/*
 * What came into the magazines and is not there any more went to the program or to the slabs.
 * That tells what the program put there, from what it took, which is known to be at least handed:
 * of what it took and put back while a magazine was loaded, both sides miss the same number.
 * The hardened kmalloc caches work without magazines.
 */
static void count_fast_paths(struct cache_stats *stats, size_t handed)
{
	size_t free = handed + stats->counts.sheaf_flush + stats->in_threads + stats->in_depot;

	stats->alloc_fastpath = handed;
	stats->free_fastpath = free - min(free, stats->counts.sheaf_refill);
}

static void count_slabs(struct kmem_cache *s, struct cache_stats *stats)
{
	size_t rest;

	slab_lock(s);
	stats->slabs = s->nr_slabs;
	stats->active_slabs = s->nr_slabs - s->nr_empty;
	stats->partial_slabs = (size_t)s->nr_partial + s->nr_empty;
	stats->free = s->nr_free;
	stats->counts = s->counts;
	os_mutex_unlock(&s->lock);

	rest = stats->partial_slabs * s->objects;
	take(&rest, stats->free);
	stats->partial_objects = rest;
}

static void count_objects(struct kmem_cache *s, const struct thread_rounds *rounds,
			  struct cache_stats *stats)
{
	struct thread_count threads = of_threads(s, rounds);
	size_t rest;

	count_slabs(s, stats);
	count_exchanges(&s->depot, stats);
	stats->objects = stats->slabs * s->objects;
	rest = stats->objects;
	stats->free = take(&rest, stats->free);
	stats->in_depot = take(&rest, depot_rounds(&s->depot));
	stats->in_threads = take(&rest, threads.rounds);
	stats->live = rest;
	if (rounds && (!harden.on || s->map_value > NR_KMALLOC_CLASSES))
		count_fast_paths(stats, threads.handed);
}

bool cache_stats_get(struct kmem_cache *s, const struct thread_rounds *rounds,
		     struct cache_stats *stats)
{
	*stats = (struct cache_stats){
		.name = s->name,
		.object_size = s->object_size,
		.size = s->size,
		.objects_per_slab = s->objects,
		.pages_per_slab = 1u << s->order,
		.magazine_rounds = s->max_rounds,
		.depot_magazines = READ_ONCE(s->depot.max_full),
		.own = is_own(s),
	};
	if (!gate_enter())
		return false;
	count_objects(s, rounds, stats);
	gate_leave();
	return true;
}

struct collection {
	struct kmalloc_stats *stats;
	struct thread_rounds rounds;
	bool complete;
};

static void add_cache(struct kmem_cache *s, void *arg)
{
	struct collection *all = arg;
	struct kmalloc_stats *stats = all->stats;
	struct cache_stats cache;

	all->complete &= cache_stats_get(s, &all->rounds, &cache);
	stats->caches++;
	stats->slab_bytes += cache.slabs * cache.pages_per_slab * PAGE_SIZE;
	stats->free_object_bytes += cache.free * cache.size;
	stats->cached_depot_bytes += cache.in_depot * cache.size;
	stats->cached_thread_bytes += cache.in_threads * cache.size;
	if (cache.own) {
		stats->own_bytes += cache.live * cache.size;
		return;
	}
	stats->live_objects += cache.live;
	stats->live_object_bytes += cache.live * cache.size;
}

static void add_zone(struct kmalloc_stats *stats)
{
	size_t rest;

	os_mutex_lock(&zone.lock);
	rest = zone.managed;
	stats->heap_bytes = zone.managed * PAGE_SIZE;
	stats->free_dirty_bytes = take(&rest, zone.nr_dirty + zone.nr_isolated) *
				  PAGE_SIZE;
	stats->free_clean_bytes = take(&rest, zone.nr_free - zone.nr_dirty) * PAGE_SIZE;
	stats->returned_bytes = zone.purged * PAGE_SIZE;
	os_mutex_unlock(&zone.lock);
	take(&rest, stats->slab_bytes / PAGE_SIZE);
	stats->page_bytes = rest * PAGE_SIZE;
}

static void add_vmap(struct kmalloc_stats *stats)
{
	struct vmap_stats vmap;

	vmap_stats(&vmap);
	stats->vmalloc_areas = vmap.nr_busy;
	stats->vmalloc_bytes = vmap.busy_pages * PAGE_SIZE;
	stats->vmalloc_lazy_bytes = vmap.lazy_pages * PAGE_SIZE;
}

/* A fork() takes long: areas can be counted all the same, see look_for_area in heap_find.c. */
static bool add_vmap_outside(struct kmalloc_stats *stats)
{
	if (gate_look()) {
		add_vmap(stats);
		gate_look_end();
	}
	return false;
}

static bool add_pages(struct kmalloc_stats *stats)
{
	if (!gate_enter())
		return add_vmap_outside(stats);
	add_zone(stats);
	add_vmap(stats);
	gate_leave();
	return true;
}

bool stats_get(struct kmalloc_stats *stats)
{
	struct collection all = { .stats = stats };

	*stats = (struct kmalloc_stats){ .version = KMALLOC_STATS_VERSION };
	all.complete = thread_rounds_get(&all.rounds);
	cache_for_each(add_cache, &all);
	all.complete &= add_pages(stats);
	stats->live_bytes = stats->live_object_bytes + stats->page_bytes + stats->vmalloc_bytes;
	stats->mapped_bytes = stats->heap_bytes + stats->vmalloc_bytes + stats->vmalloc_lazy_bytes;
	return all.complete;
}
