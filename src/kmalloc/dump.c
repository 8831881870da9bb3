/* SPDX-License-Identifier: MIT */
/*
 * kmem_dump_obj, vmalloc_dump_obj, mem_dump_obj: what is known of a pointer, in the kernel's words.
 *
 * References: Linux mm/slab_common.c (kmem_dump_obj), mm/vmalloc.c (vmalloc_dump_obj),
 * mm/util.c (mem_dump_obj).
 */
#include "kmalloc/api.h"

#include "lib/bug.h"
#include "lib/fmt.h"
#include "slab/debug.h"

#define OUT_SIZE	512

static void begin(struct fmt_out *out, char *buf, const void *ptr)
{
	fmt_out_fd(out, buf, OUT_SIZE, 2);
	fmt_out_printf(out, "libkmalloc: %p:", (void *)(uintptr_t)ptr);
}

/* Where the object begins and what it may be used for; nothing if @ptr is behind the last one. */
static void dump_place(struct fmt_out *out, const void *ptr, const struct heap_object *object)
{
	struct kmem_cache *s = object->page->cache;
	uintptr_t start = object->start;

	if (s->left)
		fmt_out_printf(out, " start %p data offset %u", (void *)start, s->left);
	else
		fmt_out_printf(out, " start %p", (void *)start);
	fmt_out_printf(out, " pointer offset %zd size %u",
		       (ssize_t)((uintptr_t)ptr - start - s->left), s->object_size);
}

static void dump_slab(struct fmt_out *out, const void *ptr, const struct heap_object *object)
{
	struct kmem_cache *s = object->page->cache;
	bool entered;

	fmt_out_printf(out, " slab %s", s->name);
	if (slab_object_index(object->page, object->start) >= s->objects) {
		fmt_out_printf(out, "\n");
		return;
	}
	dump_place(out, ptr, object);
	entered = slab_is_debugged(s) && heap_enter_wait();
	if (entered) {
		slab_debug_dump(s, (void *)(object->start + s->left), out);
		gate_leave();
	} else {
		fmt_out_printf(out, "\n");
	}
}

static bool dump_object(void *ptr)
{
	struct heap_object object;
	struct fmt_out out;
	char buf[OUT_SIZE];

	heap_find(ptr, &object);
	if (object.kind != HEAP_SLAB)
		return false;
	begin(&out, buf, ptr);
	dump_slab(&out, ptr, &object);
	fmt_out_flush(&out);
	return true;
}

bool kmem_dump_obj(void *ptr)
{
	return dump_object(ptr);
}

bool kmem_valid_obj(void *ptr)
{
	struct heap_object object;

	heap_find(ptr, &object);
	return object.kind == HEAP_SLAB;
}

static bool dump_area(void *ptr)
{
	struct heap_object object;

	heap_find(ptr, &object);
	if (object.kind != HEAP_AREA)
		return false;
	fmt_print(2, "libkmalloc: %p: %zu-page vmalloc region starting at %p\n", ptr,
		  object.size >> PAGE_SHIFT, (void *)object.start);
	return true;
}

bool vmalloc_dump_obj(void *ptr)
{
	return dump_area(ptr);
}

static const char *kind_of(const void *ptr, const struct heap_object *object)
{
	if (!ptr)
		return "NULL pointer";
	if (ptr == ZERO_SIZE_PTR)
		return "zero-size pointer";
	return object->kind == HEAP_FOREIGN ? "non-paged memory" : "non-slab/vmalloc memory";
}

void mem_dump_obj(void *ptr)
{
	struct heap_object object;

	if (dump_object(ptr) || dump_area(ptr))
		return;
	heap_find(ptr, &object);
	fmt_print(2, "libkmalloc: %p: %s\n", ptr, kind_of(ptr, &object));
}

unsigned long kmalloc_slab_errors(void)
{
	return slab_debug_errors();
}

long validate_slab_cache(struct kmem_cache *s)
{
	long errors;

	if (!heap_enter_wait())
		return 0;
	errors = slab_is_debugged(s) ? (long)slab_debug_validate(s) : (long)slab_check(s);
	gate_leave();
	return errors;
}
