/* SPDX-License-Identifier: MIT */
/*
 * The exchanges with a depot, inline for the two slow paths that end every magazine.
 */
#ifndef MAGAZINE_DEPOT_H
#define MAGAZINE_DEPOT_H

#include "magazine/magazine.h"

/* Of depot.c: the depot ran empty; it has one full magazine too many, and its lock is held. */
__slow void depot_learn(struct kmem_cache *s);
__slow struct magazine *depot_overflow(struct kmem_cache *s, struct magazine *empty);

static inline struct magazine *depot_pop(struct list_node *list, uint32_t *nr, uint32_t *low)
{
	uint32_t left = *nr - 1;

	if (unlikely(list_empty(list)))
		return NULL;
	WRITE_ONCE(*nr, left);
	*low = min(*low, left);
	return list_entry(list_pop(list), struct magazine, list);
}

static inline void depot_push(struct magazine *mag, struct list_node *list, uint32_t *nr)
{
	list_add(&mag->list, list);
	ADD_ONCE(*nr, 1);
}

/* A magazine with rounds, or NULL, for an empty one (or NULL). */
static inline struct magazine *depot_swap_empty(struct kmem_cache *s, struct magazine *empty)
{
	struct depot *d = &s->depot;
	struct magazine *full;

	os_mutex_lock(&d->lock);
	d->barn_get++;
	full = depot_pop(&d->full, &d->nr_full, &d->full_low);
	if (unlikely(!full))
		depot_learn(s);
	if (empty)
		depot_push(empty, &d->empty, &d->nr_empty);
	os_mutex_unlock(&d->lock);
	return full;
}

/* An empty one, or NULL, for a full one (or NULL). */
static inline struct magazine *depot_swap_full(struct kmem_cache *s, struct magazine *full)
{
	struct depot *d = &s->depot;
	struct magazine *empty;

	os_mutex_lock(&d->lock);
	empty = depot_pop(&d->empty, &d->nr_empty, &d->empty_low);
	if (full) {
		d->barn_put++;
		depot_push(full, &d->full, &d->nr_full);
	}
	if (unlikely(d->nr_full > d->max_full) && full)
		return depot_overflow(s, empty);
	os_mutex_unlock(&d->lock);
	return empty;
}

#endif
