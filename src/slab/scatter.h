/* SPDX-License-Identifier: MIT */
/*
 * Objects from random places, for caches whose member scatter is not 0.  Under s->lock.
 */
#ifndef SLAB_SCATTER_H
#define SLAB_SCATTER_H

#include "slab/slab.h"

/* 0 … @n - 1. */
unsigned scatter_below(struct kmem_cache *s, unsigned n);

/* Takes @n free objects of @slab, which has as many: the first one from a random place. */
void scatter_take(struct kmem_cache *s, struct page *slab, void **end, unsigned n);

#endif
