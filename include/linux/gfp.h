/* SPDX-License-Identifier: MIT */
/*
 * Pages.  See alloc_pages(3) and gfp(3).
 */
#ifndef LIBKMALLOC_LINUX_GFP_H
#define LIBKMALLOC_LINUX_GFP_H

#include <linux/compiler.h>
#include <linux/gfp_types.h>
#include <linux/mm_types.h>
#include <linux/types.h>

KM_BEGIN_DECLS

#define PAGE_ALLOC_COSTLY_ORDER	3

struct page *alloc_pages(gfp_t gfp, unsigned int order);
struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order);
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);
void __free_pages(struct page *page, unsigned int order);
void free_pages(unsigned long addr, unsigned int order);
void *alloc_pages_exact(size_t size, gfp_t gfp) __km_size(1);
void *alloc_pages_exact_nid(int node, size_t size, gfp_t gfp) __km_size(2);
void free_pages_exact(void *addr, size_t size);
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long n, struct page **pages);
void split_page(struct page *page, unsigned int order);

/* In any context, signal handlers included. */
struct page *alloc_pages_nolock(gfp_t gfp, int node, unsigned int order);
void free_pages_nolock(struct page *page, unsigned int order);

/* The pages hold @nr_contig pages in a row; any number. */
struct page *alloc_contig_pages(unsigned long nr_pages, gfp_t gfp, int node, void *nodemask);
void free_contig_range(unsigned long pfn, unsigned long nr_pages);

/* Fragments of pages: small pieces, cut from the end, that share a reference count. */
struct page_frag_cache {
	void *va;
	unsigned int offset;
	unsigned int size;
	unsigned int pagecnt_bias;
};

void *page_frag_alloc(struct page_frag_cache *nc, unsigned int size, gfp_t gfp);
void *page_frag_alloc_align(struct page_frag_cache *nc, unsigned int size, gfp_t gfp,
			    unsigned int align);
void page_frag_free(void *addr);
void page_frag_cache_drain(struct page_frag_cache *nc);

/* The calling thread's scopes: what allocations in it may not do. */
unsigned int memalloc_noio_save(void);
void memalloc_noio_restore(unsigned int flags);
unsigned int memalloc_nofs_save(void);
void memalloc_nofs_restore(unsigned int flags);
unsigned int memalloc_noreclaim_save(void);
void memalloc_noreclaim_restore(unsigned int flags);
gfp_t current_gfp_context(gfp_t gfp);
void memalloc_retry_wait(gfp_t gfp);
void might_alloc(gfp_t gfp);

KM_END_DECLS

#define alloc_page(gfp)			alloc_pages(gfp, 0)
#define __get_free_page(gfp)		__get_free_pages((gfp), 0)
#define __get_dma_pages(gfp, order)	__get_free_pages((gfp) | GFP_DMA, (order))
#define __free_page(page)		__free_pages((page), 0)
#define free_page(addr)			free_pages((addr), 0)
#define alloc_pages_bulk_array(gfp, n, pages)	alloc_pages_bulk(gfp, n, pages)
#define alloc_pages_bulk_array_node(gfp, node, n, pages) \
	((void)(node), alloc_pages_bulk(gfp, n, pages))
#define alloc_pages_bulk_node(gfp, node, n, pages) \
	((void)(node), alloc_pages_bulk(gfp, n, pages))
#define page_frag_cache_init(nc)	((void)((nc)->va = NULL))

#ifndef KMALLOC_BUILDING

/* The test whether an allocation may wait. */
static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return !!(gfp & __GFP_DIRECT_RECLAIM);
}

static inline bool gfp_has_io_fs(gfp_t gfp)
{
	return (gfp & (__GFP_IO | __GFP_FS)) == (__GFP_IO | __GFP_FS);
}

/* For an allocation made on behalf of one with @gfp. */
static inline gfp_t gfp_nested_mask(gfp_t gfp)
{
	return (gfp & (GFP_KERNEL | GFP_ATOMIC | __GFP_NOLOCKDEP)) |
	       __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN;
}

/* Up to 2.0 a third argument asked for memory for DMA. */
#ifdef __cplusplus
inline unsigned long __get_free_pages(gfp_t gfp, unsigned long order, int dma)
{
	return __get_free_pages(dma ? gfp | GFP_DMA : gfp, (unsigned int)order);
}
#else
#define KM_FREE_PAGES2(gfp, order)	(__get_free_pages)(gfp, (unsigned int)(order))
#define KM_FREE_PAGES3(gfp, order, dma) \
	(__get_free_pages)((gfp) | ((dma) ? GFP_DMA : 0), (unsigned int)(order))
#define KM_PICK_PAGES(a, b, c, d, ...)	d
#define __get_free_pages(...) \
	KM_PICK_PAGES(__VA_ARGS__, KM_FREE_PAGES3, KM_FREE_PAGES2, 0, 0)(__VA_ARGS__)
#endif

#if KMALLOC_API <= 24
/* It zeroed, and __get_free_page did not. */
#define get_free_page(gfp)	get_zeroed_page(gfp)
#endif

#endif

#endif
