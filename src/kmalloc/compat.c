/* SPDX-License-Identifier: MIT */
/*
 * What the kernels of 1996 to 2005 had: the table of general caches with its twins for DMA,
 * kfree_s, limits, growing and reaping caches by hand.
 *
 * The DMA caches ("size-N(DMA)") are made when they are first asked for, by kmalloc with GFP_DMA
 * too.
 *
 * References: Linux 2.0 mm/kmalloc.c; Linux 2.4 mm/slab.c (cache_sizes, kmem_cache_reap).
 */
#include "kmalloc/api.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/bug.h"
#include "lib/fmt.h"
#include "mm/low.h"
#include "mm/reclaim.h"
#include "slab/debug.h"

#define FIRST_SIZE	32u
#define NR_SIZES	13u		/* 32 … 131072 */

static cache_sizes_t sizes[NR_SIZES + 1];

static size_t size_of(unsigned i)
{
	return (size_t)FIRST_SIZE << i;
}

/* Made once; who comes second destroys what it made. */
static kmem_cache_t *cache_once(kmem_cache_t **place, const char *format, size_t size,
				slab_flags_t flags)
{
	struct kmem_cache_args args = { .align = (unsigned)min(size, PAGE_SIZE) };
	kmem_cache_t *s = __atomic_load_n(place, __ATOMIC_ACQUIRE), *none = NULL;
	char name[32];
	size_t len;

	if (s)
		return s;
	len = fmt_snprint(name, sizeof(name), "size-%zu", size);
	fmt_snprint(name + len, sizeof(name) - len, "%s", format);
	s = do_cache_create(name, size, &args, flags | SLAB_NO_MERGE | SLAB_NO_USER_FLAGS);
	if (!s || __atomic_compare_exchange_n(place, &none, s, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE))
		return s;
	do_cache_destroy(s);
	return none;
}

static kmem_cache_t *general_cache(unsigned i)
{
	size_t size = size_of(i);

	if (size <= max_class_size && !harden.on)
		return &kmalloc_caches[size_class(size)];
	return cache_once(&sizes[i].cs_cachep, "", size, 0);
}

static kmem_cache_t *dma_cache(unsigned i)
{
	return cache_once(&sizes[i].cs_dmacachep, "(DMA)", size_of(i), SLAB_CACHE_DMA);
}

static unsigned index_of(size_t size)
{
	return size <= FIRST_SIZE ? 0 : order_of(size) - order_of(FIRST_SIZE);
}

const cache_sizes_t *kmalloc_cache_sizes(void)
{
	unsigned i;

	heap_init();
	for (i = 0; i < NR_SIZES; i++) {
		sizes[i].cs_size = size_of(i);
		__atomic_store_n(&sizes[i].cs_cachep, general_cache(i), __ATOMIC_RELEASE);
		dma_cache(i);
	}
	return sizes;
}

kmem_cache_t *kmem_find_general_cachep(size_t size, gfp_t gfp)
{
	unsigned i = index_of(size);

	heap_init();
	if (i >= NR_SIZES)
		return NULL;
	return gfp & __GFP_DMA ? dma_cache(i) : general_cache(i);
}

void *compat_dma_alloc(size_t size, gfp_t gfp)
{
	unsigned i = index_of(size);
	kmem_cache_t *s = NULL;
	struct page *page;

	if (i < NR_SIZES)
		s = gfp_may_block(gfp) ? dma_cache(i) :
		    __atomic_load_n(&sizes[i].cs_dmacachep, __ATOMIC_ACQUIRE);

	if (s)
		return do_cache_alloc(s, gfp);
	page = do_alloc_pages(gfp, order_of(pages_of(size)), (unsigned)pages_of(size));
	return page ? (void *)page_to_addr(page) : NULL;
}

/*
 * kfree_s: the size was a hint once; here it is checked.
 */

void kfree_s(const void *p, size_t size)
{
	if (!ZERO_OR_NULL_PTR(p) && size > do_ksize(p)) {
		warn("kfree_s(%p, %zu): the object has %zu bytes", (void *)(uintptr_t)p, size,
		     do_ksize(p));
		return;
	}
	do_kfree(p);
}

void *kmalloc_limited(size_t size, gfp_t gfp, size_t limit)
{
	if (size <= limit)
		return do_kmalloc(size, gfp);
	fmt_print(2, "libkmalloc: kmalloc of too large a block (%zu bytes).\n", size);
	return NULL;
}

/*
 * Growing and reaping.
 */

/* One more slab; its objects are free. */
int kmem_cache_grow(kmem_cache_t *s, gfp_t gfp)
{
	bool grown;

	if (gfp & KMALLOC_NO_GROW || !heap_enter_wait())
		return 0;
	grown = slab_grow(s);
	gate_leave();
	return grown;
}

struct reap_search {
	struct kmem_cache *best;
	size_t pages;
};

static void look_at(struct kmem_cache *s, void *arg)
{
	struct reap_search *search = arg;
	size_t pages = (size_t)READ_ONCE(s->nr_empty) << s->order;

	if (s->flags & SLAB_NO_REAP || pages <= search->pages)
		return;
	search->best = s;
	search->pages = pages;
}

/*
 * What threads and depots hold goes to the slabs; then the cache with most free slabs gives them
 * back.  2.4 kept a fifth of them; so does this, by rounding down.  Returns pages.
 */
int kmem_cache_reap(gfp_t gfp)
{
	struct reap_search search = { NULL, 0 };
	size_t pages = 0;

	shrink_all(gfp, SHRINK_HALF);
	if (!heap_enter_wait())
		return 0;
	trim_epoch();
	cache_for_each(look_at, &search);
	if (search.best)
		pages = slab_shrink_to(search.best, (search.best->nr_empty + 4) / 5);
	gate_leave();
	return (int)pages;
}
