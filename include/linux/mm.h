/* SPDX-License-Identifier: MIT */
/*
 * Pages and addresses.
 */
#ifndef LIBKMALLOC_LINUX_MM_H
#define LIBKMALLOC_LINUX_MM_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/overflow.h>
#include <linux/types.h>

#include <string.h>

#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#ifndef PAGE_SIZE
#define PAGE_SIZE	(1ul << PAGE_SHIFT)
#endif
#ifndef PAGE_MASK
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#endif
#ifndef PAGE_ALIGN
#define PAGE_ALIGN(addr)	(((addr) + PAGE_SIZE - 1) & PAGE_MASK)
#define PAGE_ALIGNED(addr)	(!((unsigned long)(addr) & (PAGE_SIZE - 1)))
#endif
#define MAX_PAGE_ORDER	10
#define MAX_ORDER_NR_PAGES	(1ul << MAX_PAGE_ORDER)
#define NR_PAGE_ORDERS	(MAX_PAGE_ORDER + 1)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

KM_BEGIN_DECLS

void *page_address(const struct page *page);
struct page *kmalloc_virt_to_page(const void *addr);
bool virt_addr_valid(const void *addr);
int page_count(const struct page *page);
unsigned int compound_order(const struct page *page);
struct page *compound_head(const struct page *page);
void get_page(struct page *page);
void put_page(struct page *page);
bool put_page_testzero(struct page *page);
bool is_vmalloc_addr(const void *addr);
unsigned long totalram_pages(void);
unsigned long nr_free_pages(void);

/* Free and used pages, slabs and reserve, on standard error. */
void show_mem(void);

struct sysinfo;
void si_meminfo(struct sysinfo *info);

KM_END_DECLS

#define virt_to_page(addr)	kmalloc_virt_to_page((const void *)(addr))
#define virt_to_head_page(addr)	compound_head(virt_to_page(addr))
#define page_to_virt(page)	page_address(page)
#define page_to_pfn(page)	((unsigned long)page_address(page) >> PAGE_SHIFT)
#define pfn_to_page(pfn)	virt_to_page((pfn) << PAGE_SHIFT)
#define page_to_phys(page)	((phys_addr_t)(uintptr_t)page_address(page))
#define page_ref_count(page)	page_count(page)
#define page_size(page)		(PAGE_SIZE << compound_order(page))
#define PFN_UP(size)		(((size) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(size)		((size) >> PAGE_SHIFT)

/* The smallest order whose blocks hold @size bytes. */
static inline int get_order(unsigned long size)
{
	if (!size)
		return 64 - PAGE_SHIFT;
	size = (size - 1) >> PAGE_SHIFT;
	return size ? 64 - __builtin_clzl(size) : 0;
}

static inline void clear_page(void *addr)
{
	memset(addr, 0, PAGE_SIZE);
}

static inline void copy_page(void *to, const void *from)
{
	memcpy(to, from, PAGE_SIZE);
}

static inline void *lowmem_page_address(const struct page *page)
{
	return page_address(page);
}

static inline void *kmap(struct page *page)
{
	return page_address(page);
}

static inline void kunmap(const struct page *page)
{
	(void)page;
}

static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

static inline void kunmap_local(const void *addr)
{
	(void)addr;
}

#define kmap_atomic(page)	kmap_local_page(page)
#define kunmap_atomic(addr)	kunmap_local(addr)

/*
 * Folios: pages by another name.
 */
struct folio {
	struct page page;
};

static inline struct folio *folio_alloc(gfp_t gfp, unsigned int order)
{
	return (struct folio *)alloc_pages(gfp | __GFP_COMP, order);
}

static inline void folio_get(struct folio *folio)
{
	get_page(&folio->page);
}

static inline void folio_put(struct folio *folio)
{
	put_page(&folio->page);
}

static inline void *folio_address(const struct folio *folio)
{
	return page_address(&folio->page);
}

static inline unsigned int folio_order(const struct folio *folio)
{
	return compound_order(&folio->page);
}

static inline size_t folio_size(const struct folio *folio)
{
	return PAGE_SIZE << compound_order(&folio->page);
}

static inline unsigned long folio_nr_pages(const struct folio *folio)
{
	return 1ul << compound_order(&folio->page);
}

static inline int folio_ref_count(const struct folio *folio)
{
	return page_count(&folio->page);
}

static inline struct folio *page_folio(const struct page *page)
{
	return (struct folio *)compound_head(page);
}

#define virt_to_folio(addr)	page_folio(virt_to_page(addr))
#define folio_page(folio, n)	(&(folio)->page + (n))

#include <linux/vmalloc.h>
#include <linux/slab.h>

#endif
