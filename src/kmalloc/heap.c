/* SPDX-License-Identifier: MIT */
/*
 * Requests of any size and pointers of any kind.
 *
 *	1 byte … max_class_size		an object of a kmalloc cache, through magazines
 *	… MAX_RUN_PAGES pages		a run of pages from the zone
 *	above				a vmap area
 *
 * When memory is short, what the layers below keep for speed is given up (trim_all) and the
 * request is tried once more.
 *
 * What a pointer is, and whether it is sound, is decided in heap_find.c.
 *
 * Locks: none of its own; everything runs inside the gate (magazine/gate.c), and what cannot enter
 * uses emergency.c.
 */
#include "kmalloc/heap.h"

#include <string.h>

#include "harden/object.h"
#include "kmalloc/hardened.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/reclaim.h"
#include "mm/vmap.h"
#include "mm/zone.h"
#include "os/options.h"
#include "slab/debug.h"

#define MAX_RUN_SIZE	(PAGE_SIZE << MAX_PAGE_ORDER)

_Atomic uint32_t heap_state;
bool heap_unusual;


extern char **environ;

__attribute__((weak)) void heap_ready(void)
{
}

static_assert((int)REGION_THP_NEVER == THP_NEVER && (int)REGION_THP_AUTO == THP_AUTO &&
	      (int)REGION_THP_ALWAYS == THP_ALWAYS, "the option's values are the region's");

static void init_layers(void)
{
	options_init(environ);
	corruption_is_fatal = options.on_corruption == ON_CORRUPTION_ABORT;
	limit_pages = options.limit >> PAGE_SHIFT;
	region_thp = (enum region_thp)options.thp;
	zone_init();
	reclaim_init((unsigned)options.decay_ms);
	magazine_init(options.magazine_bytes);
	sizes_init((unsigned)options.size_classes);
	harden_init();
	zero_size_init();
	thread_init();
	kfence_init((unsigned)options.kfence_sample_interval, (unsigned)options.kfence_every);
	heap_unusual = harden.on || kfence_on;
}

__cold void heap_init(void)
{
	uint32_t state = HEAP_NOT_READY;

	if (!atomic_compare_exchange_strong(&heap_state, &state, HEAP_STARTING)) {
		while (atomic_load(&heap_state) != HEAP_READY)
			os_yield_cpu(~0u);
		return;
	}
	init_layers();
	/* release: pairs with the acquire in heap_enter */
	atomic_store_explicit(&heap_state, HEAP_READY, memory_order_release);
	heap_ready();
}

/*
 * In and out.
 */

/* A fork() of 2 seconds is more likely a deadlock that others made than one that ends. */
#define LONGEST_FORK_MS	2000

bool heap_enter_wait(void)
{
	uint64_t end = os_clock_ms() + LONGEST_FORK_MS;

	while (!heap_enter())
		if (ATOMIC_READ(thread_tls.busy) || os_clock_ms() >= end)
			return false;
	return true;
}

static void free_inside(void *ptr);

void heap_free_deferred(void)
{
	emergency_for_each_deferred(free_inside);
}

/*
 * Allocation.
 */

static void *alloc_area(size_t size, size_t align, bool zero)
{
	struct page *page;
	size_t dirty;
	void *ptr = vmap_alloc(size, align, &dirty);

	if (likely(ptr))
		return zero ? memset(ptr, 0, min(dirty, size)) : ptr;
	page = align == PAGE_SIZE && size > MAX_RUN_SIZE ? zone_alloc_huge(pages_of(size)) : NULL;
	if (!page)
		return NULL;
	if (zero)
		zone_zero(page);
	return (void *)page_to_addr(page);
}

static void *alloc_run(size_t size, unsigned align_order, bool zero)
{
	struct page *page = zone_alloc((unsigned)pages_of(size), align_order);

	if (unlikely(!page))
		return alloc_area(size, PAGE_SIZE << align_order, zero);
	if (zero)
		zone_zero(page);
	return (void *)page_to_addr(page);
}

/*
 * From GUARD_MIN on, between guard pages, unless there are too many of them.  Below, mapping and
 * unmapping would cost many times what malloc does.
 */
#define GUARD_MIN	((size_t)128 << 10)

static void *alloc_hardened_pages(size_t size, size_t align)
{
	void *ptr = NULL;

	if (harden.guard && size >= GUARD_MIN && !vmap_is_crowded())
		ptr = alloc_area(size, max(align, PAGE_SIZE), true);
	if (ptr || size > MAX_RUN_SIZE || align > MAX_RUN_SIZE)
		return ptr ? ptr : alloc_area(size, max(align, PAGE_SIZE), true);
	return alloc_run(size, order_of(pages_of(align)), true);
}

static void *alloc_pages_once(size_t size, size_t align, bool zero)
{
	if (size > PTRDIFF_MAX - MAX_RUN_SIZE)
		return NULL;
	if (unlikely(harden.on))
		return alloc_hardened_pages(size, align);
	if (size > MAX_RUN_SIZE || align > MAX_RUN_SIZE)
		return alloc_area(size, max(align, PAGE_SIZE), zero);
	return alloc_run(size, order_of(pages_of(align)), zero);
}

static void *alloc_object(unsigned class, size_t size, bool zero)
{
	void *ptr = unlikely(harden.on) ? hardened_alloc_inside(class, size) : thread_alloc(class);

	return ptr && zero ? memset(ptr, 0, size) : ptr;
}

static void *alloc_once(size_t size, size_t align, bool zero)
{
	unsigned class = size_class_aligned(size + harden.tail, align);

	return class ? alloc_object(class, size, zero) : alloc_pages_once(size, align, zero);
}

static void *alloc_inside(size_t size, size_t align, bool zero)
{
	void *ptr = alloc_once(size, align, zero);

	if (unlikely(!ptr) && trim_all())
		ptr = alloc_once(size, align, zero);
	return ptr;
}

static __cold void *alloc_outside(size_t size, size_t align, bool zero)
{
	void *ptr = emergency_alloc(size, align);

	return ptr && zero ? memset(ptr, 0, size) : ptr;
}

static void *alloc_any(size_t size, size_t align, bool zero)
{
	void *ptr;

	if (unlikely(!heap_enter()))
		return alloc_outside(size, align, zero);
	ptr = alloc_inside(size, align, zero);
	gate_leave();
	return ptr;
}

void *heap_alloc(size_t size)
{
	return alloc_any(size, 1, false);
}

void *heap_alloc_aligned(size_t size, size_t align)
{
	return alloc_any(size, align, false);
}

void *heap_alloc_zeroed(size_t size)
{
	return alloc_any(size, 1, true);
}

/*
 * Free.
 */

static __cold void report_pages(void *ptr)
{
	struct heap_object object;
	enum heap_fault fault = heap_validate(ptr, &object);

	if (fault == HEAP_INSIDE)
		heap_complain(fault, "free", ptr, &object);
	else
		corruption("double free of %p (pages)", ptr);
}

static __cold void report_foreign(void *ptr)
{
	struct heap_object object = { .kind = HEAP_AREA };

	if (vmap_find(ptr, &object.start, &object.size))
		heap_complain(HEAP_INSIDE, "free", ptr, &object);
	else
		heap_complain(HEAP_NOT_OURS, "free", ptr, &object);
}

static void free_run(struct region *r, void *ptr)
{
	struct page *page = region_page(r, (uintptr_t)ptr);

	if (page->type != PAGE_RUN || (uintptr_t)ptr & (PAGE_SIZE - 1)) {
		report_pages(ptr);
		return;
	}
	zone_free(page, page->nr_pages);
	reclaim_note_free();
}

static void free_of_cache(struct kmem_cache *s, void *ptr)
{
	if (unlikely(s->internal))
		heap_complain(HEAP_LIBRARYS, "free", ptr, NULL);
	else if (unlikely(slab_is_debugged(s)))
		slab_debug_free(s, ptr, __builtin_frame_address(0));
	else if (unlikely(!slab_is_object_in_use(s, ptr)))
		slab_report(ptr);
	else
		thread_cache_free(s, ptr);
	KEEP_FRAME();		/* no jump: the frame must be there as long as it is looked at */
}

static void free_of_class(unsigned class, void *ptr)
{
	if (unlikely(harden.on))
		hardened_free_inside(class, ptr);
	else if (unlikely(!slab_is_object_in_use(&kmalloc_caches[class], ptr)))
		slab_report(ptr);
	else
		thread_free(class, ptr);
}

static void free_in_region(struct region *r, void *ptr)
{
	unsigned value = *slab_map_byte(r, (uintptr_t)ptr);

	KEEP_FRAME();
	if (!value)
		free_run(r, ptr);
	else if (value <= NR_KMALLOC_CLASSES)
		free_of_class(value, ptr);
	else
		free_of_cache(slab_of(r, (uintptr_t)ptr)->cache, ptr);
}

static void free_inside(void *ptr)
{
	struct region *r = region_of((uintptr_t)ptr);

	KEEP_FRAME();
	if (r)
		free_in_region(r, ptr);
	else if (kfence_owns(ptr))
		kfence_free(ptr, __builtin_return_address(0), NULL);
	else if (vmap_free(ptr))
		reclaim_note_free();
	else if (!emergency_free(ptr))
		report_foreign(ptr);
}

static __slow void free_any(void *ptr)
{
	KEEP_FRAME();
	if (unlikely(!heap_enter())) {
		if (!emergency_free(ptr))
			emergency_defer_free(ptr);
		return;
	}
	free_inside(ptr);
	gate_leave();
}

void heap_free(void *ptr)
{
	if (ptr)
		free_any(ptr);
}

/*
 * Resizing.
 */

static void *resize_run(void *ptr, struct page *page, size_t size)
{
	unsigned nr = (unsigned)pages_of(size);

	if (page->flags & PG_GUARD)
		return nr <= page->nr_pages ? ptr : NULL;
	if (nr > page->nr_pages)
		return zone_extend(page, nr) ? ptr : NULL;
	if (nr < page->nr_pages) {
		zone_trim(page, nr);
		reclaim_note_free();
	}
	return ptr;
}

static bool resize_in_place(const struct heap_object *object, size_t size)
{
	if (object->kind == HEAP_AREA)
		return size > (harden.on ? object->size : MAX_RUN_SIZE) ||
		       heap_fits(object->size, size);
	if (object->kind == HEAP_RUN && size > object->size)
		return size <= MAX_RUN_SIZE;
	if (object->kind == HEAP_GUARDED)
		return size == object->size;
	if (size > object->size)
		return false;
	return size >= object->size / 2 || (object->kind == HEAP_RUN && size > max_class_size);
}

static bool is_hardened(const struct heap_object *object)
{
	return harden.on && object->kind == HEAP_SLAB &&
	       object->page->cache->map_value <= NR_KMALLOC_CLASSES;
}

void *heap_resize(void *ptr, const struct heap_object *object, size_t size)
{
	if (unlikely(is_hardened(object)))
		return object_resize(object->page->cache->map_value, ptr, size) ? ptr : NULL;
	if (!resize_in_place(object, size))
		return NULL;
	if (object->kind != HEAP_RUN && object->kind != HEAP_AREA)
		return ptr;
	if (!heap_enter())
		return size <= object->size ? ptr : NULL;
	ptr = object->kind == HEAP_RUN ? resize_run(ptr, object->page, size) :
					 vmap_resize(ptr, size);
	gate_leave();
	return ptr;
}

static void *move(void *ptr, const struct heap_object *object, size_t size)
{
	void *new = heap_alloc(size);

	if (!new)
		return size <= object->size ? ptr : NULL;
	memcpy(new, ptr, min(size, object->size));
	heap_free(ptr);
	return new;
}

static __cold void refuse_realloc(enum heap_fault fault, void *ptr,
				  const struct heap_object *object)
{
	if (fault == HEAP_IS_FREE && is_hardened(object))
		heap_free(ptr);		/* knows more of what is wrong with it */
	else
		heap_complain(fault, "realloc", ptr, object);
}

void *heap_realloc(void *ptr, size_t size)
{
	struct heap_object object;
	enum heap_fault fault = heap_validate(ptr, &object);
	void *new;

	if (unlikely(fault != HEAP_SOUND)) {
		refuse_realloc(fault, ptr, &object);
		return NULL;
	}
	if (unlikely(size > PTRDIFF_MAX))
		return NULL;
	new = heap_resize(ptr, &object, size);
	return new ? new : move(ptr, &object, size);
}

size_t heap_trim(void)
{
	size_t pages;

	if (!heap_enter())
		return 0;
	pages = trim_all();
	gate_leave();
	return pages;
}
