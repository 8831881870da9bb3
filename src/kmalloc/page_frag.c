/* SPDX-License-Identifier: MIT */
/*
 * Page fragments: small pieces of one run of pages, cut from its end, which lives until the last
 * one is freed.  For many short-lived pieces of odd sizes.
 *
 * The cache itself holds one reference; a fragment is one more.  A cache belongs to one thread at a
 * time; fragments may be freed anywhere.
 *
 * References: Linux mm/page_frag_cache.c.
 */
#include "kmalloc/api.h"

#include "lib/bits.h"
#include "mm/region.h"

#define FRAG_ORDER	3		/* 32 KiB */

static _Atomic int *count_of(struct page *page)
{
	return (_Atomic int *)&page->refcount;
}

static void put(void *va)
{
	struct page *page = virt_to_page(va);

	if (atomic_fetch_sub_explicit(count_of(page), 1, memory_order_acq_rel) == 1)
		do_free_pages(page);
}

void page_frag_cache_drain(struct page_frag_cache *nc)
{
	if (nc->va)
		put(nc->va);
	nc->va = NULL;
}

static bool refill(struct page_frag_cache *nc, gfp_t gfp)
{
	struct page *page;
	unsigned order = FRAG_ORDER;

	page = do_alloc_pages(gfp | __GFP_NOWARN | __GFP_NORETRY, order, 1u << order);
	if (!page)
		page = do_alloc_pages(gfp, order = 0, 1);
	if (!page)
		return false;
	page_frag_cache_drain(nc);
	nc->va = (void *)page_to_addr(page);
	nc->size = (unsigned)(PAGE_SIZE << order);
	nc->offset = nc->size;
	return true;
}

static void *cut(struct page_frag_cache *nc, unsigned size, unsigned align)
{
	unsigned offset;

	if (!nc->va || nc->offset < size)
		return NULL;
	offset = (nc->offset - size) & ~(align - 1);
	nc->offset = offset;
	atomic_fetch_add_explicit(count_of(virt_to_page(nc->va)), 1, memory_order_relaxed);
	return (char *)nc->va + offset;
}

static void *alloc(struct page_frag_cache *nc, unsigned size, gfp_t gfp, unsigned align)
{
	void *ptr = cut(nc, size, align);

	if (!ptr && refill(nc, gfp))
		ptr = cut(nc, size, align);
	return ptr;
}

void *page_frag_alloc(struct page_frag_cache *nc, unsigned size, gfp_t gfp)
{
	return alloc(nc, size, gfp, 1);
}

void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned size, gfp_t gfp, unsigned align)
{
	return alloc(nc, size, gfp, align);
}

/* The run in which the fragment lies. */
void page_frag_free(void *addr)
{
	struct heap_object object;

	heap_find(addr, &object);
	if (object.kind == HEAP_RUN)
		put((void *)object.start);
}
