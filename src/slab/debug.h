/* SPDX-License-Identifier: MIT */
/*
 * Debugging of caches: red zones, poison, owners.  See slab_debug in libkmalloc(7).
 */
#ifndef SLAB_DEBUG_H
#define SLAB_DEBUG_H

#ifndef KMALLOC_BUILDING
#define KMALLOC_BUILDING
#endif

#include <linux/slab_def.h>

#include "slab/slab.h"

#define SLAB_DEBUG_FLAGS	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | \
				 SLAB_STORE_USER | SLAB_TRACE)

/* Objects of such caches never are in magazines. */
static inline bool slab_is_debugged(const struct kmem_cache *s)
{
	return unlikely(s->flags & SLAB_DEBUG_FLAGS);
}

/*
 * Lays out the objects of a cache that is about to be initialised: how many bytes an object of
 * @size takes at @align, and where in them it stands.
 */
size_t slab_debug_layout(slab_flags_t flags, size_t size, size_t align, bool ctor,
			 uint32_t *offset);

/* The hook that prepares the objects of a new slab. */
void slab_debug_construct(struct kmem_cache *s, struct page *slab);

/* Inside the gate.  @caller is who gets the blame. */
void *slab_debug_alloc(struct kmem_cache *s, const void *caller);
void slab_debug_free(struct kmem_cache *s, void *object, const void *caller);

/* Checks all objects; returns how many errors it found (and mended). */
unsigned slab_debug_validate(struct kmem_cache *s);

/* The flags that the option slab_debug asks for. */
slab_flags_t slab_debug_option(const char *name, slab_flags_t flags);

/* Set when kmalloc's caches are to be debugged: where kmalloc goes instead. */
extern void *(*slab_debug_kmalloc)(size_t size, size_t align, unsigned gfp) __hidden;

/* The objects in use, one line each, after "Objects remaining". */
void slab_debug_list_live(struct kmem_cache *s);

/* What is known of one object, for kmem_dump_obj. */
void slab_debug_print_tracks(struct kmem_cache *s, const void *object);

#endif
