/* SPDX-License-Identifier: MIT */
/*
 * Reserved address ranges.
 *
 * The first region is as large as the process may like (1 TiB where the address space is
 * unlimited), all of it inaccessible and free of charge.  The zone makes it usable in steps.
 * When a region is used up or could only be had small, further ones follow.
 *
 * Invariants: base is a multiple of BLOCK_SIZE; for every block of BLOCK_SIZE that has a usable
 * page, the struct pages of the whole block may be read, so that the buddy of a page
 * can be looked at without asking whether it exists.
 *
 * Locks: region_create is called by one thread at a time (init, or with growing set in zone.c);
 * readers see a region only after nr_regions says so.
 */
#include "mm/region.h"

#include "lib/bits.h"
#include "mm/low.h"

#define REGION_MAX	((size_t)1 << 40)
#define REGION_MIN	((size_t)16 << 20)

struct region regions[MAX_REGIONS];
_Atomic unsigned nr_regions;
enum region_thp region_thp = REGION_THP_AUTO;
uintptr_t slab_map_base;
uintptr_t slab_map_granules;

/* A quarter of a limited address space leaves room for the program and its other mappings. */
static size_t first_size(void)
{
	size_t limit = os_address_space_limit();	/* a system call: only here, at start */

	if (limit == SIZE_MAX)
		return REGION_MAX;
	return max(min((size_t)1 << ilog2(limit / 4 | 1), REGION_MAX), REGION_MIN);
}

static size_t next_size(void)
{
	size_t size = regions[nr_regions - 1].end - regions[nr_regions - 1].base;

	return max(size, REGION_MIN);
}

static void *reserve_halving(size_t *size)
{
	void *addr = NULL;

	for (; *size >= REGION_MIN / 4 && !addr; *size /= 2)
		addr = os_reserve(*size, BLOCK_SIZE);
	*size *= 2;
	return addr;
}

void region_layout(struct region *r, uintptr_t base, size_t size)
{
	size_t map = align_up(size >> GRANULE_SHIFT, PAGE_SIZE);
	size_t dirty = align_up(size >> PAGE_SHIFT >> 3, PAGE_SIZE);
	size_t pages = align_up((size >> PAGE_SHIFT) * sizeof(struct page), PAGE_SIZE);

	r->base = base;
	r->end = base + size;
	r->map = (uint8_t *)base;
	r->dirty = (uint64_t *)(base + map + PAGE_SIZE);
	r->pages = (struct page *)((uintptr_t)r->dirty + dirty);
	r->heap = align_up((uintptr_t)r->pages + pages + PAGE_SIZE, GRANULE_SIZE);
	r->grown = r->heap;
	r->usable = r->heap;
}

struct region *region_create(void)
{
	unsigned nr = atomic_load_explicit(&nr_regions, memory_order_relaxed);
	size_t size;
	void *base;

	if (nr == MAX_REGIONS)
		return NULL;
	size = nr ? next_size() : first_size();
	base = reserve_halving(&size);
	if (!base)
		return NULL;
	region_layout(&regions[nr], (uintptr_t)base, size);
	if (region_thp != REGION_THP_AUTO)
		os_hugepage((void *)align_up(regions[nr].heap, PAGE_SIZE),
			    regions[nr].end - regions[nr].heap, region_thp == REGION_THP_ALWAYS);
	if (!nr)
		slab_map_base = (uintptr_t)base;
	/* release: pairs with the acquire in region_search and page_region */
	atomic_store_explicit(&nr_regions, nr + 1, memory_order_release);
	return &regions[nr];
}

static int commit_range(uintptr_t start, uintptr_t end)
{
	start = align_down(start, PAGE_SIZE);
	end = align_up(end, PAGE_SIZE);
	return os_commit((void *)start, end - start);
}

/*
 * From the start of the heap on, not only for this step: another thread's step below may be
 * under way or have failed, and whoever sees the new limit may read everything below it.
 */
static int commit_metadata(struct region *r, uintptr_t end)
{
	uintptr_t first = align_down(r->heap, BLOCK_SIZE);
	uintptr_t last = min(align_up(end, BLOCK_SIZE), r->end);
	int err = commit_range((uintptr_t)region_page(r, first), (uintptr_t)region_page(r, last));

	if (!err)
		err = commit_range((uintptr_t)r->dirty,
				   (uintptr_t)r->dirty + ((last - r->base) >> PAGE_SHIFT >> 3));
	return err ? err : commit_range(r->base, (uintptr_t)slab_map_byte(r, last - 1) + 1);
}

/* release: pairs with the acquire loads of the limit, after which metadata is read */
static void raise_to(uintptr_t *limit, uintptr_t value)
{
	uintptr_t old = READ_ONCE(*limit);

	while (old < value && !__atomic_compare_exchange_n(limit, &old, value, true,
							   __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void raise_usable(struct region *r, uintptr_t end)
{
	raise_to(&r->usable, end);
	if (r == &regions[0])
		raise_to(&slab_map_granules, (end - r->base) >> GRANULE_SHIFT);
}

int region_commit(struct region *r, uintptr_t start, size_t size)
{
	int err = commit_metadata(r, start + size);

	if (!err)
		err = os_commit((void *)start, size);
	if (!err)
		raise_usable(r, start + size);
	return err;
}

struct region *region_search(uintptr_t addr)
{
	unsigned i, nr = atomic_load_explicit(&nr_regions, memory_order_acquire);

	for (i = 0; i < nr; i++) {
		struct region *r = &regions[i];

		if (addr >= r->heap && addr < __atomic_load_n(&r->usable, __ATOMIC_ACQUIRE))
			return r;
	}
	return low_region_of(addr);
}

struct region *page_region(const struct page *page)
{
	unsigned i, nr = atomic_load_explicit(&nr_regions, memory_order_acquire);

	for (i = 0; i < nr; i++)
		if (page >= regions[i].pages && (uintptr_t)page < regions[i].heap)
			return &regions[i];
	return low_region_of_page(page);
}
