/* SPDX-License-Identifier: MIT */
/*
 * kmalloc and kfree.
 *
 * kmalloc is malloc with the kernel's manners: the same caches and magazines, but flags that say
 * what may be done to get memory, a limit of 4 MiB, alignment to the largest power of two that
 * divides the size, and a pointer that may be freed but not read for size 0.  The size classes are
 * made so that the class of a size is aligned as the size is (kmalloc/sizes.c), so the fast path
 * needs no look at it.
 *
 * Locks: none here.
 *
 * References: Linux include/linux/slab.h, mm/slub.c.
 */
#include "kmalloc/api.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/zone.h"
#include "os/options.h"
#include "slab/debug.h"

uint32_t gfp_special = ANY_GFP;
uint32_t gfp_always;

static bool debugging;

/* A run of its own, where there are no pages in a row for a slab of objects of that size. */
static void *alloc_scattered(size_t size, size_t align)
{
	struct page *page;

	if (size <= PAGE_SIZE / 2 || !heap_enter_wait())
		return NULL;
	page = zone_alloc((unsigned)pages_of(size), order_of(pages_of(align)));
	gate_leave();
	return page ? (void *)page_to_addr(page) : NULL;
}

static void *attempt_size(struct gfp_request *req)
{
	void *ptr;

	if (!gfp_may_block(req->gfp))
		return heap_alloc_nowait(req->size, req->align, gfp_watermark(req->gfp));
	ptr = kfence_due(req->size, req->align) ?
	      heap_alloc_guarded(req->size, req->align, NULL, NULL) : NULL;
	if (ptr)
		return ptr;
	ptr = heap_alloc_aligned(req->size, req->align);
	return ptr ? ptr : alloc_scattered(req->size, req->align);
}

static void *alloc_size(size_t size, size_t align, gfp_t gfp)
{
	struct gfp_request req = {
		.gfp = gfp_context(gfp),
		.order = order_of(pages_of(size)),
		.size = size,
		.align = align,
		.attempt = attempt_size,
	};

	return gfp_alloc(&req);
}

static __cold void *refuse(size_t size, gfp_t gfp)
{
	if (!(gfp & __GFP_NOWARN))
		warn("kmalloc of %zu bytes: more than KMALLOC_MAX_SIZE", size);
	return NULL;
}

/* A round of the thread's own magazine. */
static void *pop_size(size_t size)
{
	return size <= max_class_size ? magazine_pop(&thread_tls.top[size_class(size)]) : NULL;
}

/* What a request gets: all of it is zeroed, since krealloc may hand it out without a look. */
static size_t room_for(size_t size, size_t align)
{
	unsigned class = size_class_aligned(size + harden.tail, align);

	return class ? kmalloc_caches[class].size - harden.tail : align_up(size, PAGE_SIZE);
}

static __cold void *alloc_special(size_t size, size_t align, gfp_t gfp)
{
	KEEP_FRAME();
	if (gfp & __GFP_DMA)
		return compat_dma_alloc(size, gfp);
	return kmalloc_debug_alloc(size, align, gfp);
}

void *do_kmalloc_aligned(size_t size, size_t align, gfp_t gfp)
{
	void *ptr = NULL;

	KEEP_FRAME();
	if (unlikely(size > KMALLOC_MAX_SIZE))
		return refuse(size, gfp);
	gfp |= gfp_always;
	if (unlikely(debugging || gfp & __GFP_DMA))
		return alloc_special(size, align, gfp);
	if (align <= natural_align(size))
		ptr = pop_size(size);
	if (likely(!harden.on))
		size = room_for(size, align);
	if (unlikely(!ptr))
		ptr = alloc_size(size, align, gfp);
	return ptr && gfp & __GFP_ZERO ? memset(ptr, 0, size) : ptr;
}

void gfp_look_at_options(void)
{
	heap_init();
	debugging = slab_debug_wanted("kmalloc-");
	gfp_always = options.init_on_alloc ? __GFP_ZERO : 0;
	WRITE_ONCE(gfp_special, __GFP_ZERO | __GFP_DMA | (debugging || gfp_always ? ANY_GFP : 0));
}

static __slow void *kmalloc_slow(size_t size, gfp_t gfp)
{
	KEEP_FRAME();
	if (unlikely(gfp_special == ANY_GFP))
		gfp_look_at_options();
	if (unlikely(!size))
		return ZERO_SIZE_PTR;
	return do_kmalloc_aligned(size, natural_align(size), gfp);
}

void *do_kmalloc(size_t size, gfp_t gfp)
{
	size_t step = (size + 15) / 16;
	void *object;

	OPAQUE(step);
	if (unlikely(step >= SIZE_STEPS || (gfp | ANY_GFP) & gfp_special))
		return kmalloc_slow(size, gfp);
	object = magazine_pop(&thread_tls.top[thread_tls.class_of[step]]);
	return likely(object) ? object : kmalloc_slow(size, gfp);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return do_kmalloc(size, gfp);
}

/* All of the object is zeroed, as room_for says. */
static void *do_kzalloc(size_t size, gfp_t gfp)
{
	size_t step = (size + 15) / 16;
	unsigned class;
	void *object;

	OPAQUE(step);
	if (unlikely(step >= SIZE_STEPS || (gfp | ANY_GFP) & gfp_special & ~__GFP_ZERO))
		return kmalloc_slow(size, gfp | __GFP_ZERO);
	class = thread_tls.class_of[step];
	object = magazine_pop(&thread_tls.top[class]);
	return likely(object) ? memset(object, 0, kmalloc_caches[class].size) :
				kmalloc_slow(size, gfp | __GFP_ZERO);
}

void *kzalloc(size_t size, gfp_t gfp)
{
	return do_kzalloc(size, gfp);
}

static void *array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : do_kmalloc(bytes, gfp);
}

void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return array(n, size, gfp);
}

static void *zeroed_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : do_kzalloc(bytes, gfp);
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return zeroed_array(n, size, gfp);
}

/*
 * There is one node: the preferred one.
 */

void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return do_kmalloc(size, gfp);
}

void *kzalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return do_kzalloc(size, gfp);
}

void *kmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return array(n, size, gfp);
}

void *kcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return zeroed_array(n, size, gfp);
}

void *kmalloc_track_caller(size_t size, gfp_t gfp)
{
	return do_kmalloc(size, gfp);
}

void *kmalloc_node_track_caller(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return do_kmalloc(size, gfp);
}

/*
 * Free.
 */

/* Jumped to from the exported functions, so that its frame is like theirs. */
static __slow void kfree_slow(void *ptr)
{
	if (!ZERO_OR_NULL_PTR(ptr) && likely(!free_if_debugged(ptr, __builtin_frame_address(0))))
		heap_free(ptr);
}

static __always_inline void free_any(const void *ptr)
{
	void *object = (void *)(uintptr_t)ptr;
	uintptr_t base = slab_map_base;
	size_t granule = ((uintptr_t)ptr - base) >> GRANULE_SHIFT;

	if (unlikely(granule >= slab_map_granules) ||
	    unlikely(!magazine_push(&thread_tls.top[((const uint8_t *)base)[granule]], object,
				    base)))
		kfree_slow(object);
}

void do_kfree(const void *ptr)
{
	free_any(ptr);
}

void kfree(const void *ptr)
{
	free_any(ptr);
}

void kfree_sensitive(const void *ptr)
{
	void *object = (void *)(uintptr_t)ptr;

	if (ZERO_OR_NULL_PTR(ptr))
		return;
	wipe(object, do_ksize(ptr));
	do_kfree(ptr);
}

void kfree_bulk(size_t n, void **p)
{
	size_t i;

	for (i = 0; i < n; i++)
		do_kfree(p[i]);
}

/*
 * Sizes.
 */

size_t do_ksize(const void *ptr)
{
	struct heap_object object;

	if (ZERO_OR_NULL_PTR(ptr))
		return 0;
	heap_find(ptr, &object);
	if (object.kind == HEAP_FOREIGN || object.size == SIZE_MAX)
		return 0;
	if (object.kind == HEAP_SLAB && slab_is_debugged(object.page->cache))
		return object.page->cache->object_size;
	return object.size - ((uintptr_t)ptr - object.start);
}

/* Whoever asks may use all of it: from now on there is no red zone in the object. */
size_t ksize(const void *ptr)
{
	struct heap_object object;

	if (unlikely(debugging) && !ZERO_OR_NULL_PTR(ptr)) {
		heap_find(ptr, &object);
		if (object.kind == HEAP_SLAB && slab_is_debugged(object.page->cache))
			set_request_size(object.page->cache, (void *)(uintptr_t)ptr,
					 object.page->cache->object_size);
	}
	return do_ksize(ptr);
}

size_t kmalloc_size_roundup(size_t size)
{
	return size && size <= KMALLOC_MAX_SIZE ? room_for(size, natural_align(size)) : size;
}
