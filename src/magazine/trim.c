/* SPDX-License-Identifier: MIT */
/*
 * Giving back what is cached, from the top down: idle threads' magazines, depots, empty slabs,
 * and then the pages (mm/reclaim.c).  Each layer gives what nobody needed in the last epoch to the
 * layer below, so memory that went out of use reaches the system after a few epochs.
 */
#include "magazine/thread.h"
#include "mm/reclaim.h"

uint32_t trim_epochs;

static void trim_depot(struct kmem_cache *s, void *arg)
{
	(void)arg;
	depot_trim(s, false);
}

static void trim_cache(struct kmem_cache *s, void *arg)
{
	(void)arg;
	depot_trim(s, true);
	slab_shrink(s);
}

void trim_epoch(void)
{
	WRITE_ONCE(trim_epochs, READ_ONCE(trim_epochs) + 1);
	thread_steal_idle(false);
	cache_for_each(trim_depot, NULL);
	reclaim_epoch();
}

size_t trim_all(void)
{
	thread_flush_self();
	thread_steal_idle(true);
	cache_for_each(trim_cache, NULL);
	return reclaim_all();
}
