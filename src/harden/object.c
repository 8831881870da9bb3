/* SPDX-License-Identifier: MIT */
/*
 * Hardened objects: what is not hot, and the reports.
 *
 * There is no second bitmap of objects in use: an atomic instruction in malloc and one in free
 * would cost more than all the rest, and the mark must be read and written anyway.  What a bitmap
 * finds and a mark does not is an object that two threads free in the same few nanoseconds; it
 * comes out of the quarantine twice, and the second time it has a mark, which no free object has.
 *
 * The order in which a report looks at an object is that of certainty: where the pointer lies,
 * whether the slab has the object as free, what the object's bytes are.
 *
 * Locks: none.
 *
 * References: hardened_malloc (canaries, zeroing, quarantine); Linux mm/slub.c (slab_debug).
 */
#include "harden/object.h"

#include "lib/bitmap.h"
#include "lib/bug.h"

size_t object_request(unsigned class, void *object)
{
	const struct harden_class *c = &harden.class[class];
	size_t slack = object_slack(c, object);

	return slack == SIZE_MAX ? SIZE_MAX : c->size - slack;
}

/* As heap_resize does: in place unless more than half would be unused of a larger class. */
static bool is_of_class(unsigned class, size_t request)
{
	return request + HARDEN_MARK <= kmalloc_caches[class].size &&
	       (request >= kmalloc_caches[class].size / 2 ||
		request + HARDEN_MARK > kmalloc_caches[class - 1].size);
}

bool object_resize(unsigned class, void *object, size_t request)
{
	const struct harden_class *c = &harden.class[class];
	size_t old = object_request(class, object);

	if (!is_of_class(class, request))
		return false;
	if (!harden.exact)
		return true;
	if (request < old)
		__builtin_memset((char *)object + request, 0, old - request);
	*mark_of(c, object) = mark_make(object, c->size - request);
	return true;
}

void object_report_written(unsigned class, void *object)
{
	const struct kmem_cache *s = &kmalloc_caches[class];
	size_t i;

	for (i = 0; i < s->size && !((const char *)object)[i]; i++)
		;
	corruption("write after free to %p, %zu bytes into it (cache %s, size %u)", object, i,
		   s->name, s->object_size);
}

static bool is_free_in_slab(const struct harden_class *c, struct page *slab, void *object)
{
	size_t offset = (uintptr_t)object & c->slab_mask;

	return bitmap_test(slab_bitmap(slab), slab_index(slab->cache, offset));
}

void object_report_free(unsigned class, void *object)
{
	const struct harden_class *c = &harden.class[class];
	struct page *slab = slab_of(region_of((uintptr_t)object), (uintptr_t)object);
	const char *name = kmalloc_caches[class].name;
	uint64_t mark;

	if (!object_in_place(c, object) || is_free_in_slab(c, slab, object) ||
	    object_is_zero(object, c->size)) {
		slab_report(object);
		return;
	}
	mark = *mark_of(c, object);
	if (mark_is_good(object, mark))
		corruption("write beyond the end of %p (cache %s, size %u, %zu bytes requested)",
			   object, name, c->size, c->size - mark_slack(mark));
	else if (mark)
		corruption("write beyond the end of %p (cache %s, size %u)", object, name, c->size);
	else
		corruption("double free of %p (cache %s, size %u), or zeroes beyond its end",
			   object, name, c->size);
}
