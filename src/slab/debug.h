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

struct slab_layout {
	uint32_t left;			/* the red zone before the object */
	uint32_t offset;		/* from the object to its free pointer */
};

/* How much an object of @size takes at @align, and where in that everything is. */
size_t slab_debug_layout(slab_flags_t flags, size_t size, size_t align,
			 struct slab_layout *layout);

/* The hooks for a new slab and for one that goes. */
void slab_debug_construct(struct kmem_cache *s, struct page *slab);
void slab_debug_release(struct kmem_cache *s, struct page *slab);

/*
 * Inside the gate, objects as the program sees them.  @caller is who gets the blame.  What is
 * wrong is reported, mended, and left out of use.
 */
void *slab_debug_alloc(struct kmem_cache *s, const void *caller);
void slab_debug_free(struct kmem_cache *s, void *object, const void *caller);

/* Of the object of a kmalloc cache, only the first @size bytes were asked for. */
void slab_debug_set_request(struct kmem_cache *s, void *object, size_t size);

/* How many of its bytes were asked for. */
size_t slab_debug_request(struct kmem_cache *s, const void *object);

/* Checks all objects; returns how many errors and repairs there were. */
unsigned slab_debug_validate(struct kmem_cache *s);

/* Lines of the kinds BUG and FIX since the start. */
unsigned long slab_debug_errors(void);
void slab_debug_count_errors(unsigned long nr);

/* @flags and what the option slab_debug adds for a cache of that name (debug_options.c). */
slab_flags_t slab_debug_option(const char *name, slab_flags_t flags);

/* May it add something for any cache that begins with @prefix? */
bool slab_debug_wanted(const char *prefix);

/* The objects in use, one line each, and their tracks. */
void slab_debug_list_live(struct kmem_cache *s);

/* What is known of one object, for kmem_dump_obj. */
void slab_debug_print_tracks(struct kmem_cache *s, const void *object);

void slab_debug_lock(void);
void slab_debug_unlock(void);

#endif
