/* SPDX-License-Identifier: MIT */
/*
 * What the files of slab debugging share.  Addresses of objects are those that the program sees.
 */
#ifndef SLAB_DEBUG_IMPL_H
#define SLAB_DEBUG_IMPL_H

#include "lib/fmt.h"
#include "os/where.h"
#include "slab/debug.h"

#define WORD	sizeof(void *)

enum track_kind { TRACK_ALLOC, TRACK_FREE, NR_TRACKS };

#define TRACK_FRAMES	12

/* Who did something to an object, and when. */
struct track {
	const void *addrs[TRACK_FRAMES]; /* the innermost first; NULL behind the last one */
	uint64_t when;			/* os_clock_ms */
	uint32_t thread;
	uint32_t cpu;
};

static_assert(sizeof(struct track) == 112, "as kmem_cache_create(3) says");

/* In a struct page of a slab: all slabs of the cache, and how many objects are in use. */
static inline struct list_node *debug_node(struct page *slab)
{
	return (struct list_node *)slab->spare;
}

static inline struct page *slab_of_debug_node(struct list_node *node)
{
	return (struct page *)(void *)((char *)node - offsetof(struct page, spare));
}

static inline size_t debug_inuse(const struct page *slab)
{
	return (size_t)slab->private;
}

static inline void set_debug_inuse(struct page *slab, size_t nr)
{
	slab->private = (void *)nr;
}

/* Free objects keep their poison, unless a constructor or a reader needs their contents. */
static inline bool poisons_objects(const struct kmem_cache *s)
{
	return s->flags & SLAB_POISON && !s->ctor && !s->keeps_contents;
}

static inline bool keeps_request(const struct kmem_cache *s)
{
	return (s->flags & (SLAB_KMALLOC | SLAB_STORE_USER)) == (SLAB_KMALLOC | SLAB_STORE_USER);
}

static inline unsigned char *object_at(const struct page *slab, unsigned i)
{
	return (unsigned char *)slab_object(slab, i) + slab->cache->left;
}

/* Behind the object: free pointer, tracks, requested size. */
static inline struct track *tracks_of(const struct kmem_cache *s, const void *object)
{
	return (struct track *)((uintptr_t)object + s->offset + WORD);
}

static inline unsigned long *request_of(const struct kmem_cache *s, const void *object)
{
	return (unsigned long *)(tracks_of(s, object) + NR_TRACKS);
}

/* Where padding begins: behind everything else. */
static inline size_t info_end(const struct kmem_cache *s)
{
	size_t end = s->offset + WORD;

	if (s->flags & SLAB_STORE_USER)
		end += NR_TRACKS * sizeof(struct track);
	if (keeps_request(s))
		end += sizeof(unsigned long);
	return end;
}

/* The bytes between the object and its free pointer. */
static inline size_t inuse_end(const struct kmem_cache *s)
{
	return s->offset;
}

void *debug_get_next(const struct kmem_cache *s, const void *object);
void debug_set_next(const struct kmem_cache *s, void *object, void *next);

/* debug.c */
void *debug_first_free(struct page *slab);
bool debug_is_object(struct page *slab, const void *ptr);

/* debug_check.c: false if something was wrong; it has been reported and mended. */
bool debug_check_object(struct page *slab, void *object, unsigned char red);
bool debug_check_chain(struct page *slab);
bool debug_check_tail(struct page *slab);

/*
 * debug_track.c.  A frame is what __builtin_frame_address(0) is in the function that the program
 * called or that was jumped to from there.
 */
void debug_take_track(struct track *track, const void *frame, bool may_look);
__cold void debug_print_tracks(struct fmt_out *out, const struct kmem_cache *s, const void *object);
__cold void debug_print_stack(struct fmt_out *out, const void *frame);

/* The frame by which whatever is found wrong now was reached, or NULL.  Under debug_lock. */
extern const void *debug_frame __hidden;

/* debug_report.c: each call counts as an error. */
__cold void debug_object_error(struct page *slab, const void *object, const char *reason);
__cold void debug_slab_error(struct page *slab, const char *fmt, ...) FMT_CHECK(2, 3);
__cold void debug_fix(const struct kmem_cache *s, const char *fmt, ...) FMT_CHECK(2, 3);
__cold void debug_overwritten(struct page *slab, const void *object, const char *what,
			      const unsigned char *first, const unsigned char *last,
			      unsigned char expected);
__cold void debug_tail_overwritten(struct page *slab, const unsigned char *first,
				   const unsigned char *last);
__cold void debug_trace(struct page *slab, const void *object, bool alloc);

#endif
