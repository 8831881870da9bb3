/* SPDX-License-Identifier: MIT */
/*
 * What is a pointer?  The one place where slow paths find out, and say so if it is not what their
 * caller takes it for.
 *
 * A pointer is told apart by the address alone: the slab map, then struct page, then the tree of
 * areas.  Nothing is ever read from the memory the pointer points to.
 *
 * Whether an object of a slab is in use is known to the slab's bitmap, in which objects in
 * magazines are in use.  Of those, the ones that the calling thread freed last are looked at too.
 *
 * Locks: vmap.lock, taken inside the gate.
 */
#include "kmalloc/heap.h"

#include <limits.h>

#include "harden/object.h"
#include "lib/bug.h"
#include "mm/vmap.h"
#include "slab/debug.h"

/* The run that contains @addr: runs are at most MAX_RUN_PAGES long, so it starts near. */
static struct page *run_containing(struct region *r, uintptr_t addr)
{
	struct page *page = region_page(r, addr), *first = region_page(r, r->heap);
	size_t back;

	for (back = 0; back < MAX_RUN_PAGES && page >= first; back++, page--)
		if (page->type != PAGE_NONE)
			return page->type == PAGE_RUN && page->nr_pages > back ? page : NULL;
	return NULL;
}

/* What the library has in slabs for itself is nobody else's business. */
static void describe_slab(struct page *slab, uintptr_t addr, struct heap_object *object)
{
	struct kmem_cache *s = slab->cache;
	uintptr_t start = align_down(addr, PAGE_SIZE << s->order), base = start + slab->colour;

	if (unlikely(s->internal))
		return;
	object->kind = HEAP_SLAB;
	object->page = slab;
	object->index = addr < base ? UINT_MAX : slab_index(s, addr - base);
	object->start = addr < base ? start : base + (size_t)object->index * s->size;
	object->size = is_zero_size_cache(s) ? 0 : s->size;
	if (unlikely(harden.on) && s->map_value <= NR_KMALLOC_CLASSES)
		object->size = object_request(s->map_value, (void *)object->start);
}

static void describe_run(struct page *page, struct heap_object *object)
{
	object->kind = HEAP_RUN;
	object->page = page;
	object->start = page_to_addr(page);
	object->size = (size_t)page->nr_pages << PAGE_SHIFT;
}

static void find_in_region(struct region *r, uintptr_t addr, struct heap_object *object)
{
	struct page *page = slab_of(r, addr);

	if (page) {
		describe_slab(page, addr, object);
		return;
	}
	page = run_containing(r, addr);
	if (page)
		describe_run(page, object);
}

/*
 * A fork() takes long: the lock of the areas is waited for all the same, since those who hold it
 * wait for nobody, and the child makes it anew.  Only a handler may have to give up.
 */
static bool look_for_area(const void *ptr, struct heap_object *object)
{
	bool found;

	if (!gate_look())
		return vmap_find_nowait(ptr, &object->start, &object->size);
	found = vmap_find(ptr, &object->start, &object->size);
	gate_look_end();
	return found;
}

/* The gate keeps fork() and the handlers of signals away from the lock of the areas. */
static bool find_area(const void *ptr, struct heap_object *object)
{
	bool found;

	if (unlikely(!heap_enter()))
		return look_for_area(ptr, object);
	found = vmap_find(ptr, &object->start, &object->size);
	gate_leave();
	return found;
}

void heap_find(const void *ptr, struct heap_object *object)
{
	struct region *r = region_of((uintptr_t)ptr);

	object->kind = HEAP_FOREIGN;
	if (r)
		find_in_region(r, (uintptr_t)ptr, object);
	else if (kfence_find(ptr, &object->start, &object->size))
		object->kind = HEAP_GUARDED;
	else if (find_area(ptr, object))
		object->kind = HEAP_AREA;
	else if (emergency_find(ptr, &object->start, &object->size))
		object->kind = HEAP_EMERGENCY;
}

/*
 * Is it what it should be?
 */

#define RECENT	4u

/* Among the last rounds of the thread's magazine, which ends in a NULL. */
static bool freed_lately(const struct kmem_cache *s, const void *ptr)
{
	void **top = thread_tls.top[s->map_value];
	unsigned i;

	for (i = 1; i <= RECENT && top[-(ptrdiff_t)i]; i++)
		if (top[-(ptrdiff_t)i] == ptr)
			return true;
	return false;
}

/* Its slabs are neither coloured nor debugged.  Whatever is odd about @ptr is told by others. */
const struct kmem_cache *heap_class_of(const void *ptr)
{
	unsigned value = slab_map_value(ptr), i;
	const struct kmem_cache *s = &kmalloc_caches[value];
	struct page *slab;
	size_t offset;

	if (unlikely(value - 1u >= NR_KMALLOC_CLASSES) || unlikely(harden.on))
		return NULL;
	offset = (uintptr_t)ptr & ((PAGE_SIZE << s->order) - 1);
	slab = region_page(&regions[0], (uintptr_t)ptr - offset);
	i = slab_index(s, offset);
	if (unlikely((size_t)i * s->size != offset || i >= s->objects ||
		     slab_object_is_free(slab, i) || freed_lately(s, ptr)))
		return NULL;
	return s;
}

static enum heap_fault fault_in_slab(const void *ptr, const struct heap_object *object)
{
	struct kmem_cache *s = object->page->cache;

	if ((uintptr_t)ptr != object->start + s->left || unlikely(object->index >= s->objects))
		return HEAP_INSIDE;
	if (slab_is_debugged(s))
		return HEAP_SOUND;	/* checked when it is freed, in more detail */
	if (slab_object_is_free(object->page, object->index) || object->size == SIZE_MAX ||
	    freed_lately(s, ptr))
		return HEAP_IS_FREE;
	return HEAP_SOUND;
}

/* Of what is no object of the program. */
static enum heap_fault fault_outside(const void *ptr)
{
	struct region *r = region_of((uintptr_t)ptr);

	if (!r)
		return kfence_owns(ptr) ? HEAP_IS_FREE : HEAP_NOT_OURS;
	return *slab_map_byte(r, (uintptr_t)ptr) ? HEAP_LIBRARYS : HEAP_IS_FREE;
}

enum heap_fault heap_validate(const void *ptr, struct heap_object *object)
{
	heap_find(ptr, object);
	switch (object->kind) {
	case HEAP_FOREIGN:
		return fault_outside(ptr);
	case HEAP_SLAB:
		return fault_in_slab(ptr, object);
	default:
		return object->start == (uintptr_t)ptr ? HEAP_SOUND : HEAP_INSIDE;
	}
}

static __cold void complain_inside(const char *what, const void *ptr,
				   const struct heap_object *object)
{
	size_t into = (uintptr_t)ptr - object->start;

	if (object->kind == HEAP_SLAB)
		corruption("%s of %p which points %zu bytes into an object of cache %s at %p",
			   what, ptr, into, object->page->cache->name, (void *)object->start);
	else
		corruption("%s of %p which points %zu bytes into pages at %p", what, ptr, into,
			   (void *)object->start);
}

static __cold void complain_free(const char *what, const void *ptr,
				 const struct heap_object *object)
{
	if (object->kind != HEAP_FOREIGN)
		corruption("%s of %p which is free (cache %s, size %u)", what, ptr,
			   object->page->cache->name, object->page->cache->object_size);
	else
		corruption("%s of %p which is free (pages)", what, ptr);
}

void heap_complain(enum heap_fault fault, const char *what, const void *ptr,
		   const struct heap_object *object)
{
	/* The program may have got it from another malloc; hardened programs have one. */
	if (fault == HEAP_NOT_OURS && harden.on)
		corruption("%s of %p which was not allocated here", what, ptr);
	else if (fault == HEAP_NOT_OURS)
		warn("%s of %p which was not allocated here: refused", what, ptr);
	else if (fault == HEAP_LIBRARYS)
		corruption("%s of %p which is memory of the library itself", what, ptr);
	else if (fault == HEAP_INSIDE)
		complain_inside(what, ptr, object);
	else if (fault == HEAP_IS_FREE)
		complain_free(what, ptr, object);
}

bool heap_is_sound(const char *what, const void *ptr, struct heap_object *object)
{
	enum heap_fault fault = heap_validate(ptr, object);

	if (unlikely(fault != HEAP_SOUND))
		heap_complain(fault, what, ptr, object);
	return fault == HEAP_SOUND;
}
