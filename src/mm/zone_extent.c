/* SPDX-License-Identifier: MIT */
/*
 * Extents: free neighbours that are no buddies, for large runs that need no alignment.
 *
 * Power-of-two blocks alone would leave a program with large buffers of odd sizes with half of
 * its free memory in places where nothing fits.  So around a free block that is large enough to be
 * the core of the run, the blocks before and behind it are looked at.
 *
 * Locks: zone.lock, held by the callers.
 */
#include "mm/zone_block.h"

#include <limits.h>

#include "lib/bits.h"

#define EXTENT_TRIES	8		/* blocks of a list to look around */

/*
 * Is the page at @index, of which nothing is known, the first one of a free block?  The struct
 * pages of a slab's tail hold its bitmap, which may look like anything, so the slab map is asked as
 * well.  A slab that is being made or released meanwhile sets its map bytes before it writes
 * bits and clears them after it cleared the bits (slab/slab.c): hence the order, and the second
 * look.
 */
static __racy struct page *block_at(struct region *r, size_t index)
{
	uintptr_t addr = r->base + (index << PAGE_SHIFT);
	struct page *page = &r->pages[index];

	if (addr < r->heap || addr >= RACY_READ(r->usable) || RACY_READ(page->type) != PAGE_FREE)
		return NULL;
	atomic_thread_fence(memory_order_acquire);	/* pairs with the fences in slab_set_map */
	if (RACY_READ(*slab_map_byte(r, addr)))
		return NULL;
	atomic_thread_fence(memory_order_acquire);
	return RACY_READ(page->type) == PAGE_FREE ? page : NULL;
}

/* The free block that ends where @index starts, or NULL. */
static struct page *block_before(struct region *r, size_t index)
{
	unsigned order, max_order = min(lowest_bit(index), (unsigned)MAX_PAGE_ORDER);

	for (order = 0; order <= max_order; order++) {
		struct page *page = block_at(r, index - ((size_t)1 << order));

		if (page && page->order == order)
			return page;
	}
	return NULL;
}

/* From which page on are there @nr free ones around @page?  0 if there are not as many. */
static size_t extent_around(struct region *r, struct page *page, size_t nr)
{
	size_t start = (size_t)(page - r->pages), end = start;

	while (end - start < nr && (page = block_at(r, end)))
		end += (size_t)1 << page->order;
	while (end - start < nr && (page = block_before(r, start)))
		start -= (size_t)1 << page->order;
	return end - start >= nr ? start : 0;
}

/* Removes the blocks from @index on that hold @nr pages; returns how many pages they hold. */
static size_t extent_remove(struct region *r, size_t index, size_t nr)
{
	size_t end = index;

	while (end - index < nr) {
		struct page *page = &r->pages[end];

		block_remove(page);
		end += (size_t)1 << page->order;
	}
	return end - index;
}

static struct page *extent_in(struct list_node *head, size_t nr, unsigned max_tries)
{
	struct list_node *pos;
	unsigned tries = 0;

	list_for_each(pos, head) {
		struct page *page = list_entry(pos, struct page, lru);
		struct region *r = page_region(page);
		size_t index = extent_around(r, page, nr), size;

		if (index) {
			size = extent_remove(r, index, nr);
			range_free(r, index + nr, size - nr);
			return &r->pages[index];
		}
		if (++tries == max_tries)
			break;
	}
	return NULL;
}

/* Any range of @nr pages holds a block of at least a quarter of its size. */
struct page *extent_take(unsigned nr)
{
	unsigned order = ilog2(nr), i;
	struct page *page = NULL;

	for (i = 0; i < 3 && !page; i++)
		page = extent_in(&zone.free[ZONE_DIRTY][order - i], nr, EXTENT_TRIES);
	return page;
}

struct page *extent_take_huge(size_t nr)
{
	struct page *page = extent_in(&zone.free[ZONE_DIRTY][MAX_PAGE_ORDER], nr, UINT_MAX);

	return page ? page : extent_in(&zone.free[ZONE_CLEAN][MAX_PAGE_ORDER], nr, UINT_MAX);
}

bool extent_take_at(struct region *r, size_t index, unsigned more)
{
	size_t end = index, size;
	struct page *page;

	while (end - index < more && (page = block_at(r, end)))
		end += (size_t)1 << page->order;
	if (end - index < more)
		return false;
	size = extent_remove(r, index, more);
	range_free(r, index + more, size - more);
	return true;
}
