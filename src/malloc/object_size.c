/* SPDX-License-Identifier: MIT */
/*
 * malloc_object_size: how many bytes there are at most from a pointer, into an object too, to the
 * end of its object.  For checks before a copy, not for using the bytes.
 *
 * References: hardened_malloc, whose extensions these are.
 */
#include "malloc/malloc.h"

#include <kmalloc/kmalloc.h>

#include "harden/harden.h"
#include "mm/region.h"

static size_t room_in(const struct heap_object *object)
{
	if (object->kind == HEAP_SLAB && object->page->cache->map_value <= NR_KMALLOC_CLASSES)
		return object->page->cache->size - harden.tail;
	return object->size;
}

/* Of heap_validate: into an object is as good as its start here, if it is in use. */
static bool is_sound(enum heap_fault fault, const struct heap_object *object)
{
	return fault == HEAP_SOUND || (fault == HEAP_INSIDE && object->size != SIZE_MAX);
}

__export size_t malloc_object_size(const void *ptr)
{
	struct heap_object object;
	enum heap_fault fault;
	size_t into, room;

	if (!ptr)
		return 0;
	fault = heap_validate(ptr, &object);
	if (fault == HEAP_NOT_OURS)
		return SIZE_MAX;
	if (unlikely(!is_sound(fault, &object))) {
		heap_complain(fault == HEAP_INSIDE ? HEAP_IS_FREE : fault, "malloc_object_size",
			      ptr, &object);
		return 0;
	}
	into = (uintptr_t)ptr - object.start;
	room = room_in(&object);
	return room - min(into, room);
}

/* Without a lock and without looking whether it is in use. */
__export size_t malloc_object_size_fast(const void *ptr)
{
	unsigned class = slab_map_value(ptr);
	struct kmem_cache *s;
	size_t into;

	if (!ptr)
		return 0;
	if (class - 1u >= NR_KMALLOC_CLASSES)
		return SIZE_MAX;
	s = &kmalloc_caches[class];
	into = (uintptr_t)ptr & ((PAGE_SIZE << s->order) - 1);
	into -= (size_t)slab_index(s, into) * s->size;
	return s->size - harden.tail - min(into, (size_t)s->size - harden.tail);
}
