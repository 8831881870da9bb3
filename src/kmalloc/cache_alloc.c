/* SPDX-License-Identifier: MIT */
/*
 * Objects of the program's caches.
 *
 * The fast paths find the thread's magazine by the number of the cache: a compare, because the
 * table may be shorter, and then as malloc and free.  A cache that is debugged never gets a
 * magazine, so its objects always come by the slow paths.
 *
 * A slow path that cannot enter the gate (a constructor that allocates, a signal handler) gets
 * memory from emergency.c, which any free takes back.
 */
#include "kmalloc/api.h"

#include <string.h>

#include "kmalloc/emergency.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "os/options.h"
#include "slab/debug.h"

static __cold void *alloc_emergency(struct kmem_cache *s)
{
	struct user_cache *c = user_cache_of(s);
	void *object = NULL;

	/* Of pages of its own kind there are none in an emergency. */
	if (!s->hooks || !s->hooks->get_pages)
		object = emergency_alloc(s->object_size, s->align);
	if (object && s->ctor)
		s->ctor(object);
	if (object && c && c->ctor3)
		c->ctor3(object, s, SLAB_CTOR_CONSTRUCTOR);
	return object;
}

static void *alloc_inside(struct kmem_cache *s, const void *frame)
{
	void *object;

	if (unlikely(slab_is_debugged(s)))
		return slab_debug_alloc(s, frame);
	object = thread_cache_alloc(s);
	if (unlikely(!object) && trim_all())
		object = thread_cache_alloc(s);
	return object;
}

static void *alloc_nowait(struct kmem_cache *s, size_t keep, const void *frame)
{
	enum gate_pass pass = gate_try_enter();
	struct thread_class *tc = NULL;
	void *object;

	if (pass == GATE_CLOSED)
		return NULL;
	if (pass == GATE_ENTERED && s->id < thread_tls.nr_slots)
		tc = &thread_tls.slots[s->id].rest;
	if (!slab_is_debugged(s))
		object = magazine_alloc_nowait(s, tc, keep);
	else
		object = pass == GATE_ENTERED ? slab_debug_alloc_nowait(s, frame, keep) : NULL;
	gate_leave_try(pass);
	return object;
}

/* More pages than there can be are to stay free. */
#define NO_NEW_SLAB	(SIZE_MAX / 2)

static void *attempt_object(struct gfp_request *req)
{
	void *object;

	if (req->gfp & KMALLOC_NO_GROW)
		return alloc_nowait(req->cache, NO_NEW_SLAB, req->frame);
	if (!gfp_may_block(req->gfp))
		return alloc_nowait(req->cache, gfp_watermark(req->gfp), req->frame);
	if (unlikely(!heap_enter_wait()))
		return alloc_emergency(req->cache);
	object = alloc_inside(req->cache, req->frame);
	gate_leave();
	return object;
}

/* Only if s->slot < thread_tls.slot_bytes. */
static __always_inline void ***top_of(struct kmem_cache *s)
{
	return &((struct thread_slot *)((char *)thread_tls.slots + s->slot))->top;
}

static __always_inline void *pop_object(struct kmem_cache *s)
{
	return likely(s->slot < thread_tls.slot_bytes) ? magazine_pop(top_of(s)) : NULL;
}

/* Of the caches with flag A, together, every options.failslab-th request; never a NOFAIL one. */
static bool should_fail(const struct kmem_cache *s, gfp_t gfp)
{
	static _Atomic unsigned long requests;

	if (likely(!(s->flags & SLAB_FAILSLAB)) || gfp & __GFP_NOFAIL)
		return false;
	return fault_due(&requests, options.failslab);
}

/* Jumped to from the exported functions, so that its frame returns to who called them. */
static __slow void *alloc_slow(struct kmem_cache *s, gfp_t gfp)
{
	struct gfp_request req = {
		.gfp = gfp_context(gfp),
		.order = order_of(pages_of(s->size)),
		.size = s->object_size,
		.cache = s,
		.frame = __builtin_frame_address(0),
		.attempt = attempt_object,
	};
	void *object;

	if (unlikely(should_fail(s, gfp)))
		return NULL;
	object = pop_object(s);
	if (!s->ctor && !s->keeps_contents)
		gfp |= gfp_always;
	/* Reclaim would not help somebody who wants no new slab. */
	if (unlikely(gfp & KMALLOC_NO_GROW))
		req.gfp = (req.gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN;
	if (!object)
		object = gfp_alloc(&req);
	return object && gfp & __GFP_ZERO ? memset(object, 0, s->object_size) : object;
}

static __always_inline void *cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object = pop_object(s);

	return likely(object) ? memset(object, 0, s->object_size) : alloc_slow(s, gfp);
}

static __always_inline void *cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	void *object;

	if (unlikely(gfp & __GFP_ZERO))
		return cache_zalloc(s, gfp);
	object = pop_object(s);
	return likely(object) ? object : alloc_slow(s, gfp);
}

void *do_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	return cache_alloc(s, gfp);
}

void *kmem_cache_alloc(struct kmem_cache *s, gfp_t gfp)
{
	return cache_alloc(s, gfp);
}

void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t gfp)
{
	return cache_zalloc(s, gfp | __GFP_ZERO);
}

void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t gfp, int node)
{
	(void)node;
	return cache_alloc(s, gfp);
}

void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t gfp)
{
	(void)lru;
	return cache_alloc(s, gfp);
}

void set_request_size(struct kmem_cache *s, void *object, size_t size)
{
	if (likely(!slab_is_debugged(s)) || !heap_enter_wait())
		return;
	slab_debug_set_request(s, object, size);
	gate_leave();
}

void *kmem_cache_alloc_request(struct kmem_cache *s, gfp_t gfp, size_t size)
{
	void *object;

	KEEP_FRAME();
	object = cache_alloc(s, gfp);
	if (object)
		set_request_size(s, object, size);
	return object;
}

/*
 * Free.
 */

static struct kmem_cache *cache_of(void *object)
{
	struct region *r = region_of((uintptr_t)object);
	struct page *slab = r ? slab_of(r, (uintptr_t)object) : NULL;

	return slab ? slab->cache : NULL;
}

static __cold void report_wrong_cache(struct kmem_cache *s, struct page *slab, void *object)
{
	warn("cache_from_obj: Wrong slab cache. %s but object is from %s", s->name,
	     slab->cache->name);
	if (slab_is_debugged(slab->cache) && heap_enter_wait()) {
		slab_debug_print_tracks(slab, object);
		gate_leave();
	}
}

/* Objects of other caches are reported and stay where they are. */
static __cold void free_misfit(struct kmem_cache *s, void *object)
{
	struct heap_object found;

	heap_find(object, &found);
	if (found.kind == HEAP_EMERGENCY)
		heap_free(object);
	else if (found.kind == HEAP_SLAB)
		report_wrong_cache(s, found.page, object);
	else
		warn("kmem_cache_free(%s, %p): no object of a cache", s->name, object);
}

bool free_if_debugged(void *object, const void *frame)
{
	struct kmem_cache *s = cache_of(object);

	if (likely(!s || !slab_is_debugged(s)) || !heap_enter())
		return false;
	slab_debug_free(s, object, frame);
	gate_leave();
	return true;
}

static __slow void free_slow(struct kmem_cache *s, void *object)
{
	if (!object)
		return;
	if (unlikely(cache_of(object) != s))
		free_misfit(s, object);
	else if (likely(!free_if_debugged(object, __builtin_frame_address(0))))
		heap_free(object);
}

/* NULL is no object here, as in the kernel: it is found when the magazine runs empty. */
static __always_inline void cache_free(struct kmem_cache *s, void *object)
{
	if (unlikely(s->slot >= thread_tls.slot_bytes) ||
	    unlikely(!magazine_push(top_of(s), object, 0)))
		free_slow(s, object);
}

void do_cache_free(struct kmem_cache *s, void *object)
{
	cache_free(s, object);
}

void kmem_cache_free(struct kmem_cache *s, void *object)
{
	cache_free(s, object);
}

/*
 * Many at once: all of them or none.
 */

/* From slabs directly, which have them in order of address. */
static size_t take_bulk(struct kmem_cache *s, size_t n, void **objects)
{
	size_t got = 0;
	unsigned now;

	if (!heap_enter_wait())
		return 0;
	while (got < n) {
		unsigned want = (unsigned)min(n - got, (size_t)MAX_SLAB_OBJECTS);

		now = slab_alloc(s, objects + got, want);
		if (!now)
			break;
		if (now < want)
			memmove(objects + got, objects + got + (want - now), now * sizeof(void *));
		got += now;
	}
	gate_leave();
	return got;
}

bool do_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n, void **objects)
{
	const uint32_t slowly = SLAB_DEBUG_FLAGS | SLAB_FAILSLAB;
	size_t got = 0;

	while (got < n && (objects[got] = pop_object(s)))
		got++;
	if (got < n && gfp_may_block(gfp) && !(s->flags & slowly))
		got += take_bulk(s, n - got, objects + got);
	while (got < n && (objects[got] = alloc_slow(s, gfp & ~__GFP_ZERO)))
		got++;
	if (got < n) {
		while (got)
			do_cache_free(s, objects[--got]);
		return false;
	}
	if (!s->ctor && !s->keeps_contents)
		gfp |= gfp_always;
	while (gfp & __GFP_ZERO && got)
		memset(objects[--got], 0, s->object_size);
	return true;
}

int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n, void **objects)
{
	return do_cache_alloc_bulk(s, gfp, n, objects) ? (int)n : 0;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **objects)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (s)
			do_cache_free(s, objects[i]);
		else
			do_kfree(objects[i]);
	}
}
