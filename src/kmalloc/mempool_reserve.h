/* SPDX-License-Identifier: MIT */
/*
 * The elements that a pool holds in reserve.
 */
#ifndef KMALLOC_MEMPOOL_RESERVE_H
#define KMALLOC_MEMPOOL_RESERVE_H

#include "kmalloc/api.h"

/* Room for @nr elements in all, if there is less.  False if there is no memory. */
bool reserve_make_room(mempool_t *pool, int nr, gfp_t gfp);

/* Once no element is left. */
void reserve_free_room(mempool_t *pool);

/*
 * NULL if there is none.  @may_wait: for the end of a fork(), so that its child finds everything;
 * without, what is taken during a fork() may be missing in the child's reserve.
 */
void *reserve_take(mempool_t *pool, bool may_wait);

/* One for each of the @missing slots that are NULL, or nothing at all. */
bool reserve_take_missing(mempool_t *pool, void **elements, unsigned count, unsigned missing);

/* False if the reserve is full. */
bool reserve_put(mempool_t *pool, void *element);

/* A pool of none keeps one all the same, for who waits. */
static inline int reserve_wanted(const mempool_t *pool)
{
	int nr = READ_ONCE(pool->min_nr);

	return nr > 0 ? nr : 1;
}

#endif
