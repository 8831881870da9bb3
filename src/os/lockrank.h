/* SPDX-License-Identifier: MIT */
/*
 * The one order in which locks may be taken.  A thread that holds a lock may take only locks of a
 * higher rank; debug builds check it at every acquisition that may wait (lock.c).
 */
#ifndef OS_LOCKRANK_H
#define OS_LOCKRANK_H

#include "lib/compiler.h"

enum lock_rank {
	RANK_INIT,		/* first use of the library */
	RANK_THREADS,		/* the list of threads */
	RANK_CACHES,		/* the list of caches */
	RANK_HARDEN,		/* unused arrays of hardened threads */
	RANK_DEPOT,		/* a cache's magazines */
	RANK_SLAB,		/* a cache's slabs */
	RANK_VMAP,		/* areas of their own mapping */
	RANK_ZONE,		/* free pages */
	RANK_KFENCE,		/* guarded objects */
	RANK_LAST,
};

struct os_mutex;

#if defined(KMALLOC_DEBUG)
void lock_rank_check(const struct os_mutex *m);
void lock_rank_push(struct os_mutex *m);
void lock_rank_pop(struct os_mutex *m);
#else
static inline void lock_rank_check(const struct os_mutex *m) { (void)m; }
static inline void lock_rank_push(struct os_mutex *m) { (void)m; }
static inline void lock_rank_pop(struct os_mutex *m) { (void)m; }
#endif

#endif
