/* SPDX-License-Identifier: MIT */
/*
 * vmalloc: areas of their own, page by page, with a guard page behind each; and kvmalloc, which
 * falls back to it.
 *
 * References: Linux mm/vmalloc.c, mm/util.c.
 */
#include "kmalloc/api.h"

#include <limits.h>
#include <string.h>

#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/low.h"
#include "mm/vmap.h"

/* Making an area maps memory, so a request that may not block gets pages of the zone instead. */
static void *attempt_area(struct gfp_request *req)
{
	size_t dirty = 0;
	void *ptr;

	if (!gfp_may_block(req->gfp))
		return heap_alloc_nowait(align_up(req->size, PAGE_SIZE), req->align,
					 gfp_watermark(req->gfp));
	if (!heap_enter_wait())
		return NULL;
	ptr = vmap_alloc(req->size, req->align, &dirty);
	gate_leave();
	if (ptr && !dirty)
		req->gfp &= ~__GFP_ZERO;
	return ptr;
}

void *do_vmalloc(size_t size, size_t align, gfp_t gfp)
{
	struct gfp_request req = {
		.gfp = gfp_context(gfp),
		.size = size,
		.align = max(align, PAGE_SIZE),
		.attempt = attempt_area,
	};
	void *ptr;

	if (!size || size > PTRDIFF_MAX - PAGE_SIZE)
		return NULL;
	ptr = gfp_alloc(&req);
	return ptr && req.gfp & __GFP_ZERO ? memset(ptr, 0, size) : ptr;
}

void *vmalloc(unsigned long size)
{
	return do_vmalloc(size, PAGE_SIZE, GFP_KERNEL);
}

void *vzalloc(unsigned long size)
{
	return do_vmalloc(size, PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
}

void *__vmalloc(unsigned long size, gfp_t gfp)
{
	return do_vmalloc(size, PAGE_SIZE, gfp);
}

void *vmalloc_node(unsigned long size, int node)
{
	(void)node;
	return do_vmalloc(size, PAGE_SIZE, GFP_KERNEL);
}

void *vzalloc_node(unsigned long size, int node)
{
	(void)node;
	return do_vmalloc(size, PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
}

void *__vmalloc_node(unsigned long size, unsigned long align, gfp_t gfp, int node,
		     const void *caller)
{
	(void)node;
	(void)caller;
	return do_vmalloc(size, align, gfp);
}

void *vmalloc_user(unsigned long size)
{
	return do_vmalloc(size, PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
}

void *vmalloc_huge(unsigned long size, gfp_t gfp)
{
	return do_vmalloc(size, (size_t)2 << 20, gfp);
}

void *vmalloc_array(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return do_vmalloc(bytes, PAGE_SIZE, GFP_KERNEL);
}

void *__vmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : do_vmalloc(bytes, PAGE_SIZE, gfp);
}

void *vcalloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return do_vmalloc(bytes, PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
}

void *__vcalloc(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	return do_vmalloc(bytes, PAGE_SIZE, gfp | __GFP_ZERO);
}

/*
 * Below 4 GiB.
 */

static void *attempt_low(struct gfp_request *req)
{
	struct page *page;

	if (!heap_enter_wait())
		return NULL;
	page = low_alloc_guarded(pages_of(req->size));
	gate_leave();
	return page ? (void *)page_to_addr(page) : NULL;
}

/* Pages of low.c read as zero. */
static void *alloc_32(unsigned long size)
{
	struct gfp_request req = {
		.gfp = gfp_context(GFP_KERNEL | __GFP_DMA32),
		.order = order_of(pages_of(size)),
		.size = size,
		.attempt = attempt_low,
	};

	return size && size <= MAX_LOW_SIZE ? gfp_alloc(&req) : NULL;
}

void *vmalloc_32(unsigned long size)
{
	return alloc_32(size);
}

void *vmalloc_32_user(unsigned long size)
{
	return alloc_32(size);
}

/*
 * Free, and questions.
 */

void vfree(const void *addr)
{
	struct heap_object object;

	if (!addr)
		return;
	heap_find(addr, &object);
	if (object.kind == HEAP_FOREIGN || object.start != (uintptr_t)addr)
		warn("vfree of %p which is no area", (void *)(uintptr_t)addr);
	else
		do_kfree(addr);
}

void vfree_atomic(const void *addr)
{
	do_kfree(addr);
}

/* An area, or pages with a guard below 4 GiB. */
static bool find_area(const void *addr, uintptr_t *start, size_t *size)
{
	struct heap_object object;

	heap_find(addr, &object);
	*start = object.start;
	*size = object.size;
	return object.kind == HEAP_AREA ||
	       (object.kind == HEAP_RUN && object.page->flags & PG_GUARD);
}

bool is_vmalloc_addr(const void *addr)
{
	uintptr_t start;
	size_t size;

	return find_area(addr, &start, &size);
}

/* Descriptions, not the tree's own: a few of them, used in turn. */
static struct vm_struct found_areas[64];
static _Atomic unsigned next_found;

struct vm_struct *find_vm_area(const void *addr)
{
	struct vm_struct *area;
	uintptr_t start;
	size_t size;

	if (!find_area(addr, &start, &size))
		return NULL;
	area = &found_areas[atomic_fetch_add(&next_found, 1) % ARRAY_SIZE(found_areas)];
	*area = (struct vm_struct){ (void *)start, size + PAGE_SIZE, VM_ALLOC,
				    (unsigned)(size >> PAGE_SHIFT) };
	return area;
}

unsigned long vmalloc_nr_pages(void)
{
	return vmap_busy_pages();
}

/*
 * kvmalloc.
 */

static gfp_t first_attempt(gfp_t gfp, size_t size)
{
	if (size <= PAGE_SIZE)
		return gfp;
	gfp |= __GFP_NOWARN;
	if (!(gfp & __GFP_RETRY_MAYFAIL))
		gfp = (gfp & ~__GFP_NOFAIL) | __GFP_NORETRY;
	return gfp;
}

void *do_kvmalloc(size_t size, gfp_t gfp)
{
	void *ptr = NULL;

	if (size <= KMALLOC_MAX_SIZE)
		ptr = do_kmalloc(size, first_attempt(gfp, size));
	if (ptr || size <= PAGE_SIZE)
		return ptr;
	if (size > INT_MAX) {
		if (!(gfp & __GFP_NOWARN))
			warn("kvmalloc of %zu bytes: more than INT_MAX", size);
		return NULL;
	}
	return do_vmalloc(size, PAGE_SIZE, gfp);
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	return do_kvmalloc(size, gfp);
}

void *kvzalloc(size_t size, gfp_t gfp)
{
	return do_kvmalloc(size, gfp | __GFP_ZERO);
}

void *kvmalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return do_kvmalloc(size, gfp);
}

void *kvzalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return do_kvmalloc(size, gfp | __GFP_ZERO);
}

static void *array_any(size_t n, size_t size, gfp_t gfp)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : do_kvmalloc(bytes, gfp);
}

void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return array_any(n, size, gfp);
}

void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return array_any(n, size, gfp | __GFP_ZERO);
}

void *kvmalloc_array_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return array_any(n, size, gfp);
}

void *kvcalloc_node(size_t n, size_t size, gfp_t gfp, int node)
{
	(void)node;
	return array_any(n, size, gfp | __GFP_ZERO);
}

void kvfree(const void *ptr)
{
	do_kfree(ptr);
}

void kvfree_atomic(const void *ptr)
{
	do_kfree(ptr);
}

void kvfree_sensitive(const void *ptr, size_t len)
{
	if (ZERO_OR_NULL_PTR(ptr))
		return;
	wipe((void *)(uintptr_t)ptr, len);
	do_kfree(ptr);
}
