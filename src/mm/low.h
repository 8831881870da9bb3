/* SPDX-License-Identifier: MIT */
/*
 * Pages below 4 GiB, for GFP_DMA32 and what is built on it.
 */
#ifndef MM_LOW_H
#define MM_LOW_H

#include "mm/region.h"

#define MAX_LOW_SIZE	((size_t)32 << 20)	/* of one request */

/*
 * @nr pages, the first one at a multiple of PAGE_SIZE << @align_order; they read as zero.  PAGE_RUN
 * like those of zone_alloc, and zone_free takes them back.  NULL if there are none.
 */
struct page *low_alloc(size_t nr, unsigned align_order);

/* The same, with an inaccessible page behind them, which is not counted in nr_pages. */
struct page *low_alloc_guarded(size_t nr);

/* Called by zone_free for pages of a low region. */
void low_free(struct region *r, struct page *page, size_t nr);

/* The low region of an address or of a struct page, or NULL. */
struct region *low_region_of(uintptr_t addr);
struct region *low_region_of_page(const struct page *page);

static inline bool region_is_low(const struct region *r)
{
	return unlikely(r->end <= UINT64_C(1) << 32);
}

#endif
