/* SPDX-License-Identifier: MIT */
/*
 * Statistics: snapshots of the heap and of single caches, and their texts.
 *
 * Everything here enters the gate by itself, for as long as it collects, and prints outside of it:
 * callers must not be inside. Nothing allocates. Counters are read layer by layer while others
 * go on, so sums may be off by what happened meanwhile; they never wrap around.
 */
#ifndef OBSERVE_STATS_H
#define OBSERVE_STATS_H

#include <kmalloc/kmalloc.h>

#include "lib/fmt.h"
#include "magazine/thread.h"

/*
 * objects = live + in_threads + in_depot + free
 * slabs = active_slabs + those without an object in use
 */
struct cache_stats {
	const char *name;
	uint32_t object_size;		/* what the user asked for */
	uint32_t size;			/* what it takes */
	uint32_t objects_per_slab;
	uint32_t pages_per_slab;
	uint32_t magazine_rounds;	/* the most a magazine may hold */
	uint32_t depot_magazines;	/* the most a depot may hold */
	size_t slabs, active_slabs;
	size_t partial_slabs;		/* with a free object, also those without one in use */
	size_t partial_objects;		/* on them, and not free in the slab */
	size_t objects;
	size_t live;			/* in use by the program */
	size_t in_threads;		/* free, in magazines of threads */
	size_t in_depot;		/* free, in magazines of the depot */
	size_t free;			/* free, in slabs */
	bool own;			/* of the library itself */
	struct slab_counts counts;

	/* live = what was taken on the two alloc paths, less what was given back on the others */
	size_t alloc_fastpath, free_fastpath;	/* at least: see stats.c */
	size_t barn_get, barn_get_fail, barn_put, barn_put_fail;
	size_t sheaf_alloc, sheaf_free;
	size_t sheaf_prefill, sheaf_prefill_oversize, sheaf_return;
};

/* What all threads have in their magazines, by class: one walk for all caches. */
struct thread_rounds {
	struct thread_count of_class[NR_KMALLOC_CLASSES + 1];
};

/*
 * Both are false, with everything zero, if the caller must not wait (see gate_enter). Without
 * @rounds what threads have in their magazines counts as live.
 */
bool thread_rounds_get(struct thread_rounds *rounds);
bool cache_stats_get(struct kmem_cache *s, const struct thread_rounds *rounds,
		     struct cache_stats *stats);

/* False, with zeroes, likewise. */
bool stats_get(struct kmalloc_stats *stats);

/* One screen: sizes for people, options in force, slabinfo of the caches in use. */
void stats_print(struct fmt_out *out);
void stats_print_fd(int fd);

/* The kernel's /proc/slabinfo, version 2.1; with @used only caches that have slabs. */
void slabinfo_print(struct fmt_out *out, bool used);

/* The same in version 1.1, of Linux 2.4; all caches. */
void slabinfo_print_old(struct fmt_out *out);

#endif
