/* SPDX-License-Identifier: MIT */
/*
 * Pages: alloc_pages and everything around it.
 *
 * What the program gets is a run of the zone (type PAGE_RUN) with a reference count in its first
 * struct page.  Only that page describes the run: the others belong to the program.  split_page
 * makes each page a run of its own.
 *
 * Locks: none here; reference counts are atomic.
 *
 * References: Linux mm/page_alloc.c, include/linux/gfp.h.
 */
#include "kmalloc/api.h"

#include <string.h>
#include <sys/sysinfo.h>

#include "kmalloc/emergency.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/low.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

#pragma GCC visibility push(default)
void *page_address(const struct page *page);
struct page *kmalloc_virt_to_page(const void *addr);
bool virt_addr_valid(const void *addr);
int page_count(const struct page *page);
unsigned compound_order(const struct page *page);
struct page *compound_head(const struct page *page);
void get_page(struct page *page);
void put_page(struct page *page);
bool put_page_testzero(struct page *page);
unsigned long totalram_pages(void);
unsigned long nr_free_pages(void);
void si_meminfo(struct sysinfo *info);
#pragma GCC visibility pop

/* The reference count, where <linux/mm_types.h> has _refcount. */
static _Atomic int *count_of(const struct page *page)
{
	return (_Atomic int *)(uintptr_t)&page->refcount;
}

static_assert(offsetof(struct page, refcount) == 36, "_refcount of <linux/mm_types.h>");
static_assert(offsetof(struct page, private) == 40, "private of <linux/mm_types.h>");

static struct page *run_alloc(const struct gfp_request *req)
{
	unsigned nr = (unsigned)(req->size >> PAGE_SHIFT);
	struct page *page;

	if (!heap_enter_wait())
		return NULL;
	page = req->gfp & (__GFP_DMA | __GFP_DMA32) ? low_alloc(nr, req->order) :
						      zone_alloc(nr, req->order);
	if (page && req->gfp & __GFP_ZERO)
		zone_zero(page);
	gate_leave();
	return page;
}

static struct page *run_alloc_nowait(const struct gfp_request *req)
{
	enum gate_pass pass = gate_try_enter();
	struct page *page = NULL;

	if (pass == GATE_CLOSED)
		return NULL;
	if (!(req->gfp & (__GFP_DMA | __GFP_DMA32)))
		page = zone_alloc_nowait((unsigned)(req->size >> PAGE_SHIFT), req->order,
					 gfp_watermark(req->gfp));
	if (page && req->gfp & __GFP_ZERO)
		zone_zero(page);
	gate_leave_try(pass);
	return page;
}

static void *attempt_pages(struct gfp_request *req)
{
	return gfp_may_block(req->gfp) ? run_alloc(req) : run_alloc_nowait(req);
}

static struct page *own(struct page *page)
{
	if (!page)
		return NULL;
	atomic_store_explicit(count_of(page), 1, memory_order_relaxed);
	page->private = NULL;
	return page;
}

struct page *do_alloc_pages(gfp_t gfp, unsigned order, unsigned nr)
{
	struct gfp_request req = {
		.gfp = gfp_context(gfp),
		.order = order,
		.size = (size_t)nr << PAGE_SHIFT,
		.attempt = attempt_pages,
	};

	if (order > MAX_PAGE_ORDER) {
		if (!(gfp & __GFP_NOWARN))
			warn("alloc_pages of order %u: more than MAX_PAGE_ORDER", order);
		return NULL;
	}
	return own(gfp_alloc(&req));
}

void do_free_pages(struct page *page)
{
	if (!heap_enter_wait()) {
		emergency_defer_object((void *)page_to_addr(page));
		return;
	}
	zone_free(page, page->nr_pages);
	reclaim_note_free();
	gate_leave();
}

static bool drop_reference(struct page *page)
{
	/* acq_rel: whoever frees the page sees what all holders did */
	return atomic_fetch_sub_explicit(count_of(page), 1, memory_order_acq_rel) == 1;
}

static void *address_or_null(struct page *page)
{
	return page ? (void *)page_to_addr(page) : NULL;
}

static unsigned long free_pages_of(gfp_t gfp, unsigned order)
{
	return (unsigned long)address_or_null(do_alloc_pages(gfp, order, 1u << order));
}

struct page *alloc_pages(gfp_t gfp, unsigned order)
{
	return do_alloc_pages(gfp, order, order > MAX_PAGE_ORDER ? 0 : 1u << order);
}

struct page *alloc_pages_node(int node, gfp_t gfp, unsigned order)
{
	(void)node;
	return do_alloc_pages(gfp, order, order > MAX_PAGE_ORDER ? 0 : 1u << order);
}

unsigned long __get_free_pages(gfp_t gfp, unsigned order)
{
	return free_pages_of(gfp, order > MAX_PAGE_ORDER ? MAX_PAGE_ORDER + 1 : order);
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	return free_pages_of(gfp | __GFP_ZERO, 0);
}

static void free_order(struct page *page, unsigned order)
{
	if (page->type != PAGE_RUN) {
		corruption("__free_pages of page %p, which is no first page in use",
			   (void *)page_to_addr(page));
		return;
	}
	if (page->nr_pages != 1u << order)
		warn("__free_pages of order %u, but %u pages were allocated", order,
		     page->nr_pages);
	if (drop_reference(page))
		do_free_pages(page);
}

void __free_pages(struct page *page, unsigned order)
{
	if (page)
		free_order(page, order);
}

static struct page *page_of(const void *addr)
{
	struct region *r = region_of((uintptr_t)addr);

	return r ? region_page(r, (uintptr_t)addr) : NULL;
}

void free_pages(unsigned long addr, unsigned order)
{
	struct page *page = page_of((void *)addr);

	if (!addr)
		return;
	if (page)
		free_order(page, order);
	else
		warn("free_pages of %p which is no page", (void *)addr);
}

void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	if (!size || size > PAGE_SIZE << MAX_PAGE_ORDER)
		return NULL;
	return address_or_null(do_alloc_pages(gfp, order_of(pages_of(size)),
					      (unsigned)pages_of(size)));
}

void *alloc_pages_exact_nid(int node, size_t size, gfp_t gfp)
{
	(void)node;
	if (!size || size > PAGE_SIZE << MAX_PAGE_ORDER)
		return NULL;
	return address_or_null(do_alloc_pages(gfp, order_of(pages_of(size)),
					      (unsigned)pages_of(size)));
}

void free_pages_exact(void *addr, size_t size)
{
	struct page *page = addr ? page_of(addr) : NULL;

	if (!page || page->type != PAGE_RUN)
		return;
	if (page->nr_pages != pages_of(size))
		warn("free_pages_exact of %zu bytes, but %u pages were allocated", size,
		     page->nr_pages);
	if (drop_reference(page))
		do_free_pages(page);
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long n, struct page **pages)
{
	unsigned long i;

	for (i = 0; i < n; i++) {
		if (!pages[i])
			pages[i] = do_alloc_pages(gfp, 0, 1);
		if (!pages[i])
			break;
	}
	return i;
}

/* Each page becomes one that is freed by itself. */
void split_page(struct page *page, unsigned order)
{
	unsigned i;

	for (i = 0; i < 1u << order; i++) {
		page[i].nr_pages = 1;
		page[i].type = PAGE_RUN;
		own(&page[i]);
	}
}

struct page *alloc_pages_nolock(gfp_t gfp, int node, unsigned order)
{
	struct gfp_request req = {
		.gfp = (gfp & __GFP_ZERO) | __GFP_NOWARN | __GFP_NOMEMALLOC,
		.order = order,
		.size = PAGE_SIZE << (order & 15),
	};

	(void)node;
	return order > MAX_PAGE_ORDER ? NULL : own(run_alloc_nowait(&req));
}

static bool run_free_nowait(struct page *page)
{
	enum gate_pass pass = gate_try_enter();
	bool done;

	if (pass == GATE_CLOSED)
		return false;
	done = zone_free_nowait(page, page->nr_pages);
	gate_leave_try(pass);
	return done;
}

/* What cannot be freed now is freed by whoever passes the gate next. */
void free_pages_nolock(struct page *page, unsigned order)
{
	(void)order;
	if (drop_reference(page) && !run_free_nowait(page))
		emergency_defer_object((void *)page_to_addr(page));
}

struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int node, void *nodemask)
{
	(void)node;
	(void)nodemask;
	if (!nr_pages || nr_pages > MAX_RUN_PAGES)
		return NULL;
	return do_alloc_pages(gfp, order_of(nr_pages), (unsigned)nr_pages);
}

void free_contig_range(unsigned long pfn, unsigned long nr_pages)
{
	struct page *page = page_of((void *)(pfn << PAGE_SHIFT));

	if (page && page->type == PAGE_RUN && page->nr_pages == nr_pages && drop_reference(page))
		do_free_pages(page);
}

/*
 * Pages of the zone are private memory, which cannot be seen at a second place.  Those in a row are
 * a mapping already.
 */

void *kmalloc_vmap(struct page **pages, unsigned count, unsigned long flags, pgprot_t prot)
{
	unsigned i;

	(void)flags;
	(void)prot;
	for (i = 1; i < count; i++)
		if (pages[i] != pages[0] + i)
			return NULL;
	return count ? (void *)page_to_addr(pages[0]) : NULL;
}

/* The pages stay: they are freed by whoever allocated them. */
void vunmap(const void *addr)
{
	(void)addr;
}

struct page *vmalloc_to_page(const void *addr)
{
	return page_of(addr);
}

/*
 * Questions and references.
 */

void *page_address(const struct page *page)
{
	return (void *)page_to_addr(page);
}

struct page *kmalloc_virt_to_page(const void *addr)
{
	return page_of(addr);
}

bool virt_addr_valid(const void *addr)
{
	return region_of((uintptr_t)addr) != NULL;
}

/* Of a page within a run or slab: its first one. */
struct page *compound_head(const struct page *page)
{
	struct heap_object object;

	heap_find((void *)page_to_addr(page), &object);
	if (object.kind == HEAP_RUN || object.kind == HEAP_SLAB)
		return object.page;
	return (struct page *)(uintptr_t)page;
}

unsigned compound_order(const struct page *page)
{
	if (page->type == PAGE_SLAB)
		return page->order;
	return page->type == PAGE_RUN ? order_of(page->nr_pages) : 0;
}

/* Pages of slabs have none. */
int page_count(const struct page *page)
{
	return page->type == PAGE_RUN ? atomic_load(count_of(page)) : 0;
}

void get_page(struct page *page)
{
	atomic_fetch_add_explicit(count_of(page), 1, memory_order_relaxed);
}

bool put_page_testzero(struct page *page)
{
	return drop_reference(page);
}

void put_page(struct page *page)
{
	if (drop_reference(page))
		do_free_pages(page);
}

unsigned long totalram_pages(void)
{
	struct sysinfo info;

	return os_sysinfo(&info) ? 0 : info.totalram * info.mem_unit >> PAGE_SHIFT;
}

unsigned long nr_free_pages(void)
{
	return READ_ONCE(zone.nr_free);
}

void si_meminfo(struct sysinfo *info)
{
	os_sysinfo(info);
}
