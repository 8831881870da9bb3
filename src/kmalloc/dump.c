/* SPDX-License-Identifier: MIT */
/*
 * kmem_dump_obj: what is known of a pointer, in the kernel's words.
 *
 * References: Linux mm/slab_common.c (kmem_dump_obj), mm/vmalloc.c (vmalloc_dump_obj).
 */
#include "kmalloc/api.h"

#include "lib/bug.h"
#include "lib/fmt.h"
#include "slab/debug.h"

static void dump_slab(const void *ptr, const struct heap_object *object)
{
	struct kmem_cache *s = object->page->cache;
	uintptr_t start = object->start + s->left;

	fmt_print(2, "libkmalloc: %p: slab %s start %p pointer offset %zu size %u\n", ptr, s->name,
		  (void *)start, (size_t)((uintptr_t)ptr - start), s->object_size);
	if (slab_is_debugged(s))
		slab_debug_print_tracks(s, (void *)start);
}

static void dump(const void *ptr, const struct heap_object *object)
{
	switch (object->kind) {
	case HEAP_SLAB:
		dump_slab(ptr, object);
		break;
	case HEAP_RUN:
		fmt_print(2, "libkmalloc: %p: %zu pages at %p\n", ptr, object->size >> PAGE_SHIFT,
			  (void *)object->start);
		break;
	case HEAP_AREA:
		fmt_print(2, "libkmalloc: %p: %zu-page vmalloc region starting at %p\n", ptr,
			  object->size >> PAGE_SHIFT, (void *)object->start);
		break;
	default:
		fmt_print(2, "libkmalloc: %p: non-slab/vmalloc memory\n", ptr);
	}
}

bool kmem_dump_obj(void *ptr)
{
	struct heap_object object;

	if (!ptr || ptr == ZERO_SIZE_PTR) {
		fmt_print(2, "libkmalloc: %p: %s pointer\n", ptr, ptr ? "zero-size" : "NULL");
		return false;
	}
	heap_find(ptr, &object);
	dump(ptr, &object);
	return object.kind != HEAP_FOREIGN;
}

bool kmem_valid_obj(void *ptr)
{
	struct heap_object object;

	heap_find(ptr, &object);
	return object.kind == HEAP_SLAB;
}

bool vmalloc_dump_obj(void *ptr)
{
	struct heap_object object;

	heap_find(ptr, &object);
	if (object.kind != HEAP_AREA)
		return false;
	dump(ptr, &object);
	return true;
}

unsigned long kmalloc_slab_errors(void)
{
	return slab_debug_errors();
}

long validate_slab_cache(struct kmem_cache *s)
{
	long errors;

	if (!heap_enter())
		return 0;
	errors = slab_is_debugged(s) ? (long)slab_debug_validate(s) : (long)slab_check(s);
	gate_leave();
	return errors;
}
