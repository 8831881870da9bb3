/* SPDX-License-Identifier: MIT */
/*
 * Freeing with a size: C23's free_sized and free_aligned_sized, and C++'s sized operator delete.
 *
 * The size costs a look at the slab map, which free() takes anyway, and a comparison; what does
 * not fit is reported and not freed.
 *
 * free_sized: the size must be one for which malloc could have returned this object, or realloc
 * could have left it where it was, which it does down to half its size.
 *
 * operator delete: the program may have an operator new of its own on top of malloc, so an object
 * may be larger than what it was made for (and a class without a virtual destructor, deleted
 * through its base, has a smaller size than its object: wrong, but everywhere).  What cannot be is
 * an object that is smaller than the size.  After that the unsized operator delete is called, the
 * program's own if it has one: this is what the C++ library's sized ones do.  Where there is none
 * (a C program that opens a library in C++ later), the C++ library's would call free().
 *
 * Hardened mode knows the request: free_sized must name it, and operator delete a size of the same
 * class.
 *
 * References: C23 7.24.3.4 f.; C++20 [new.delete].
 */
#include "malloc/malloc.h"

#include "harden/harden.h"
#include "lib/bits.h"
#include "lib/bug.h"

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t align, size_t size);

/* Of the object at @ptr, or 0 if that takes longer to find out, as for hardened ones. */
static inline size_t room_at(void *ptr)
{
	unsigned class = slab_map_value(ptr);

	if (unlikely(harden.on))
		return 0;
	return class - 1u < NR_KMALLOC_CLASSES ? kmalloc_caches[class].size : 0;
}

/* Is what was requested of it known? */
static bool is_exact(const struct heap_object *object)
{
	return harden.exact && object->kind == HEAP_SLAB &&
	       object->page->cache->map_value <= NR_KMALLOC_CLASSES;
}

static __cold void report_size(void *ptr, size_t size, const struct heap_object *object)
{
	corruption("free of %p with size %zu, but it has %zu bytes", ptr, size, object->size);
}

static bool same_class(size_t size, size_t room)
{
	size += harden.tail;
	return size && size <= max_class_size && kmalloc_caches[size_class(size)].size == room;
}

static bool size_fits(size_t size, size_t room)
{
	return size <= room && (size >= room / 2 || same_class(size, room));
}

static __slow void free_sized_slow(void *ptr, size_t align, size_t size)
{
	struct heap_object object;

	if (!ptr || !heap_is_sound("free", ptr, &object))
		return;
	if (size > object.size || (uintptr_t)ptr & (align - 1) ||
	    (is_exact(&object) && max(size, (size_t)1) != object.size) ||
	    (object.kind != HEAP_AREA && !size_fits(max(size, align), max(object.size, align))))
		report_size(ptr, size, &object);
	else
		do_free(ptr);
}

static void check_and_free(void *ptr, size_t align, size_t size)
{
	size_t room = room_at(ptr);

	if (likely(size <= room && size_fits(max(size, align), room) &&
		   !((uintptr_t)ptr & (align - 1))))
		do_free(ptr);
	else
		free_sized_slow(ptr, align, size);
}

__export void free_sized(void *ptr, size_t size)
{
	check_and_free(ptr, 1, size);
}

__export void free_aligned_sized(void *ptr, size_t align, size_t size)
{
	check_and_free(ptr, align, size);
}

/*
 * C++.  The names are those of operator delete and delete[] with (void *), (void *, align_val_t),
 * and with a size in between.
 */

void _ZdlPv(void *ptr) __weak_ref;
void _ZdaPv(void *ptr) __weak_ref;
void _ZdlPvSt11align_val_t(void *ptr, size_t align) __weak_ref;
void _ZdaPvSt11align_val_t(void *ptr, size_t align) __weak_ref;
void _ZdlPvm(void *ptr, size_t size);
void _ZdaPvm(void *ptr, size_t size);
void _ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t align);
void _ZdaPvmSt11align_val_t(void *ptr, size_t size, size_t align);

/* An operator new of the program may have asked for a little more than it was asked for. */
static bool near_request(const struct heap_object *object, size_t size)
{
	return size_class(max(size, (size_t)1) + harden.tail) ==
	       size_class(object->size + harden.tail);
}

/* False: it was said that the object is smaller than that, or in hardened mode, larger. */
static __slow bool may_be_large(void *ptr, size_t size)
{
	struct heap_object object;
	size_t into;

	heap_find(ptr, &object);
	if (!ptr || object.kind == HEAP_FOREIGN || object.size == SIZE_MAX)
		return true;		/* free finds more to say */
	into = (uintptr_t)ptr - object.start;
	if (size <= object.size - into &&
	    (into || !is_exact(&object) || near_request(&object, size)))
		return true;
	report_size(ptr, size, &object);
	return false;
}

static inline bool may_have(void *ptr, size_t size)
{
	return likely(size <= room_at(ptr)) || may_be_large(ptr, size);
}

__export void _ZdlPvm(void *ptr, size_t size)
{
	if (!may_have(ptr, size))
		return;
	if (_ZdlPv)
		_ZdlPv(ptr);
	else
		do_free(ptr);
}

__export void _ZdaPvm(void *ptr, size_t size)
{
	if (!may_have(ptr, size))
		return;
	if (_ZdaPv)
		_ZdaPv(ptr);
	else
		do_free(ptr);
}

__export void _ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t align)
{
	if (!may_have(ptr, size))
		return;
	if (_ZdlPvSt11align_val_t)
		_ZdlPvSt11align_val_t(ptr, align);
	else
		do_free(ptr);
}

__export void _ZdaPvmSt11align_val_t(void *ptr, size_t size, size_t align)
{
	if (!may_have(ptr, size))
		return;
	if (_ZdaPvSt11align_val_t)
		_ZdaPvSt11align_val_t(ptr, align);
	else
		do_free(ptr);
}
