/* SPDX-License-Identifier: MIT */
/*
 * krealloc and its relatives.
 *
 * The two families differ in what size 0 means: krealloc frees and returns ZERO_SIZE_PTR, vrealloc
 * frees and returns NULL.  With __GFP_ZERO only what lies between the new size and the end of the
 * object is cleared: every earlier call must have had the flag too.
 *
 * References: Linux mm/slub.c (krealloc), mm/vmalloc.c (vrealloc), mm/util.c (kvrealloc).
 */
#include "kmalloc/api.h"

#include <string.h>

#include "slab/debug.h"

static bool is_aligned(const void *ptr, size_t align)
{
	return !((uintptr_t)ptr & (align - 1));
}

static void *in_place(void *ptr, size_t size, size_t room, gfp_t gfp)
{
	if (gfp & __GFP_ZERO)
		memset((char *)ptr + size, 0, room - size);
	return ptr;
}

static void *move_to(void *new, const void *ptr, size_t room)
{
	if (!new)
		return NULL;
	memcpy(new, ptr, room);
	do_kfree(ptr);
	return new;
}

/* The cache of an object that is debugged, whose unused bytes are a red zone, or NULL. */
static struct kmem_cache *debugged_cache(const void *p)
{
	struct heap_object object;

	heap_find(p, &object);
	return object.kind == HEAP_SLAB && slab_is_debugged(object.page->cache) ?
	       object.page->cache : NULL;
}

static void *resize(const void *p, size_t size, size_t align, gfp_t gfp)
{
	struct kmem_cache *s;
	void *ptr = (void *)(uintptr_t)p;
	size_t room;

	KEEP_FRAME();
	if (!size) {
		do_kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return do_kmalloc_aligned(size, align, gfp);
	s = debugged_cache(p);
	room = s ? slab_debug_request(s, p) : do_ksize(p);
	if (!s && size <= room && is_aligned(p, align))
		return in_place(ptr, size, room, gfp);
	return move_to(do_kmalloc_aligned(size, align, gfp), p, room < size ? room : size);
}

void *krealloc(const void *p, size_t size, gfp_t gfp)
{
	return resize(p, size, natural_align(size), gfp);
}

void *krealloc_node(const void *p, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return resize(p, size, natural_align(size), gfp);
}

void *krealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t gfp, int node)
{
	size_t natural = natural_align(size);

	(void)node;
	return resize(p, size, align > natural ? align : natural, gfp);
}

void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return resize(p, bytes, natural_align(bytes), gfp);
}

/* Areas of their own grow by moving pages, not bytes. */
static void *grow_large(const void *p, size_t size, size_t old, gfp_t gfp)
{
	char *new = heap_realloc((void *)(uintptr_t)p, size);

	if (new && gfp & __GFP_ZERO && size > old)
		memset(new + old, 0, size - old);
	return new;
}

static void *resize_any(const void *p, size_t old, size_t size, gfp_t gfp)
{
	void *ptr = (void *)(uintptr_t)p, *new;

	if (size <= old)
		return in_place(ptr, size, old, gfp);
	if (old > KMALLOC_MAX_SIZE && gfp_may_block(gfp)) {
		new = grow_large(p, size, old, gfp);
		if (new)
			return new;
	}
	return move_to(do_kvmalloc(size, gfp), p, old);
}

void *vrealloc(const void *p, size_t size, gfp_t gfp)
{
	if (!size) {
		do_kfree(p);
		return NULL;
	}
	if (!p)
		return do_vmalloc(size, PAGE_SIZE, gfp);
	if (size <= do_ksize(p))
		return in_place((void *)(uintptr_t)p, size, do_ksize(p), gfp);
	return move_to(do_vmalloc(size, PAGE_SIZE, gfp), p, do_ksize(p));
}

static void *do_kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	if (!size) {
		do_kfree(p);
		return ZERO_SIZE_PTR;
	}
	if (ZERO_OR_NULL_PTR(p))
		return do_kvmalloc(size, gfp);
	return resize_any(p, do_ksize(p), size, gfp);
}

/* Until 6.11: what the caller says about the old size counts for copying. */
void *kvrealloc_sized(const void *p, size_t old_size, size_t size, gfp_t gfp)
{
	if (old_size >= size)
		return (void *)(uintptr_t)p;
	return do_kvrealloc(p, size, gfp);
}

void *kvrealloc(const void *p, size_t size, gfp_t gfp)
{
	return do_kvrealloc(p, size, gfp);
}
