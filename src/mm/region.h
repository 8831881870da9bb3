/* SPDX-License-Identifier: MIT */
/*
 * Regions: the reserved address ranges in which all pages live, and the way from an address
 * to its struct page and back.
 */
#ifndef MM_REGION_H
#define MM_REGION_H

#include "mm/page.h"

#define GRANULE_SHIFT	14		/* the slab map has one byte for each 16 KiB */
#define GRANULE_SIZE	((size_t)1 << GRANULE_SHIFT)
#define BLOCK_SIZE	(PAGE_SIZE << MAX_PAGE_ORDER)
#define MAX_REGIONS	64

/*
 * One region, from low to high addresses:
 *
 *   base                                                                    end
 *    | slab map | guard | dirty map | struct pages | guard | heap: usable ... | reserved |
 *                                                           ^heap              ^grown
 *
 * map[], dirty[] and pages[] are indexed by the distance from base, so they cover themselves
 * too; those entries stay 0 and PAGE_NONE.
 */
struct region {
	uintptr_t base, heap, end;
	uintptr_t grown;		/* next address to hand to the zone; zone lock */
	uintptr_t usable;		/* map and pages may be read for addresses below */
	uint8_t *map;			/* a byte a granule: see slab/slab.h */
	uint64_t *dirty;		/* a bit a page: see mm/zone.c; zone lock */
	struct page *pages;
};

extern struct region regions[MAX_REGIONS] __hidden;
extern _Atomic unsigned nr_regions __hidden;

/*
 * What free() reads first: the start of region 0 and the number of its granules whose map
 * bytes may be read.  Both 0 until there is a region, so that every pointer takes the slow path.
 * free() reads them without atomics, which would keep the compiler from comparing with memory:
 * the caller got its pointer from us, so it has seen a limit that covers it, and any limit will do.
 */
extern uintptr_t slab_map_base __hidden;
extern uintptr_t slab_map_granules __hidden;

/* What the slab map says of an address in region 0; 0 for all others. */
static inline unsigned slab_map_value(const void *addr)
{
	uintptr_t granule = ((uintptr_t)addr - slab_map_base) >> GRANULE_SHIFT;

	return likely(granule < slab_map_granules) ? ((const uint8_t *)slab_map_base)[granule] : 0;
}

enum region_thp { REGION_THP_NEVER, REGION_THP_AUTO, REGION_THP_ALWAYS };

/*
 * What the user wants of transparent huge pages; set once before the first region.  AUTO leaves
 * it to the system: asking for them in large heaps gained nothing that could be measured, and
 * purged memory came back two megabytes at a time.
 */
extern enum region_thp region_thp __hidden;

/* Reserves a further region.  Caller: only one thread at a time. */
struct region *region_create(void);

/* Decides where in a reserved range of @size bytes at @base everything stands. */
void region_layout(struct region *r, uintptr_t base, size_t size);

/* Makes [@start, @start + @size) of @r usable, with its struct pages and map bytes. */
int region_commit(struct region *r, uintptr_t start, size_t size);

/* The region whose usable part of the heap contains @addr, or NULL. */
struct region *region_search(uintptr_t addr);

static inline struct region *region_of(uintptr_t addr)
{
	struct region *r = &regions[0];

	if (likely(addr - r->heap < READ_ONCE(r->usable) - r->heap))
		return r;
	return region_search(addr);
}

static inline struct page *region_page(const struct region *r, uintptr_t addr)
{
	return &r->pages[(addr - r->base) >> PAGE_SHIFT];
}

/* The struct page of an address that is known to lie in a region. */
static inline struct page *virt_to_page(const void *addr)
{
	return region_page(region_of((uintptr_t)addr), (uintptr_t)addr);
}

/* The region of a struct page. */
struct region *page_region(const struct page *page);

static inline uintptr_t page_to_addr(const struct page *page)
{
	const struct region *r = page_region(page);

	return r->base + ((uintptr_t)(page - r->pages) << PAGE_SHIFT);
}

static inline uint8_t *slab_map_byte(const struct region *r, uintptr_t addr)
{
	return &r->map[(addr - r->base) >> GRANULE_SHIFT];
}

#endif
