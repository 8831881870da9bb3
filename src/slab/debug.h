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

#include "lib/fmt.h"
#include "slab/slab.h"

#define SLAB_DEBUG_FLAGS	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | \
				 SLAB_STORE_USER | SLAB_TRACE)

/* What takes room beside the object. */
#define SLAB_DEBUG_METADATA	(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

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
 * Inside the gate, objects as the program sees them.  What is wrong is reported, mended, and left
 * out of use.  The stack that gets the blame begins with @frame: __builtin_frame_address(0) of the
 * function that the program called, or that was jumped to from there.
 */
void *slab_debug_alloc(struct kmem_cache *s, const void *frame);
/* Without a system call: see slab_alloc_nowait. */
void *slab_debug_alloc_nowait(struct kmem_cache *s, const void *frame, size_t keep);
void slab_debug_free(struct kmem_cache *s, void *object, const void *frame);

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

/* Has it the letter O, so that no object may take more pages for being debugged? */
bool slab_debug_keeps_order(void);

/* May it add something for any cache that begins with @prefix? */
bool slab_debug_wanted(const char *prefix);

/* "BUG <name> (Not tainted): <what>", between lines. */
void slab_debug_heading(const char *name, const char *what);

/* The objects in use, one line each, and their tracks. */
void slab_debug_list_live(struct kmem_cache *s);

/*
 * Who allocated the objects in use (or @freed those that are free now), most frequent first, up to
 * @max call sites; returns how many.  0 without SLAB_STORE_USER.  Inside the gate.
 *
 * Ages are in milliseconds.  os_locate() of os/where.h and debug_place_text() make text of callers.
 */
struct slab_call_site {
	const void *caller;
	uint64_t count;
	uint64_t min_age, max_age, sum_age;
	uint32_t min_thread, max_thread;
};

size_t slab_debug_call_sites(struct kmem_cache *s, bool freed, struct slab_call_site *sites,
			     size_t max);

/* "module+0x1234", or the address alone where there is no module. */
struct place_text {
	char text[64];
};

struct os_place;
struct place_text debug_place_text(const struct os_place *place);

/* The stacks by which @object, if it is one, was allocated and last freed. */
void slab_debug_print_tracks(struct page *slab, const void *object);

/* For kmem_dump_obj: the end of its line, and the stacks by which an object came and went. */
void slab_debug_dump(struct kmem_cache *s, const void *object, struct fmt_out *out);

void slab_debug_lock(void);
void slab_debug_unlock(void);

#endif
