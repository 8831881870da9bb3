/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator.
 *
 * Free memory is kept in blocks of 1 << order pages at multiples of their own size.  The buddy of
 * a block is found by flipping one bit of its page index; two free buddies become one block of the
 * next order.  A request takes the smallest block that is large enough, and what is too much goes
 * straight back, so a run of 5 pages costs 5 pages.
 *
 * Which free pages hold memory (are dirty: were used since they came from the kernel) is known to
 * the page, from a bitmap of its own; the other, clean, ones read as zero.  Blocks with dirty
 * pages are handed out first, the hottest first, because reusing one costs no page fault, and
 * of a split block the dirtier half goes on.  Bits of pages in use say what they were when they
 * were handed out: calloc clears just those.
 *
 * Invariants (zone_check): a block on free[l][k] has type PAGE_FREE, order k, an index that is a
 * multiple of 1 << k, nr_dirty as many bits as it has in the bitmap, and l is ZONE_CLEAN iff that
 * is 0; its buddy is not a free block of the same order; the sums agree with nr_free and nr_dirty;
 * nonempty agrees with the lists.
 *
 * Locks: zone.lock for all of it.  No system call is made under it: growing reserves a range
 * under the lock, commits it outside, and adds it; purging isolates blocks the same way.
 *
 * References: Knowlton, "A fast storage allocator" (CACM 1965); Linux mm/page_alloc.c.
 */
#include "mm/zone_block.h"

#include "lib/bitmap.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/low.h"
#include "mm/reclaim.h"
#include "mm/vmap.h"

struct zone zone = { .lock = OS_MUTEX(RANK_ZONE) };
size_t limit_pages;
_Atomic size_t charged_pages;

void zone_init(void)
{
	unsigned l, k;

	for (l = 0; l < NR_ZONE_LISTS; l++)
		for (k = 0; k < NR_ORDERS; k++)
			list_init(&zone.free[l][k]);
	region_create();		/* if it fails, the first allocation tries again */
}

/*
 * Free lists.
 */

void block_insert(struct page *page, unsigned order, unsigned nr_dirty)
{
	page->type = PAGE_FREE;
	page->order = (uint8_t)order;
	page->flags = 0;
	page->nr_dirty = nr_dirty;
	list_add(&page->lru, &zone.free[block_list(page)][order]);
	zone.nonempty[block_list(page)] |= 1u << order;
	ADD_ONCE(zone.nr_free, (size_t)1 << order);
	ADD_ONCE(zone.nr_dirty, nr_dirty);
}

void block_remove(struct page *page)
{
	enum zone_list list = block_list(page);
	unsigned order = page->order;

	page->type = PAGE_NONE;
	list_del(&page->lru);
	if (list_empty(&zone.free[list][order]))
		zone.nonempty[list] &= ~(1u << order);
	SUB_ONCE(zone.nr_free, (size_t)1 << order);
	SUB_ONCE(zone.nr_dirty, page->nr_dirty);
}

void block_free(struct region *r, size_t index, unsigned order, unsigned nr_dirty)
{
	for (; order < MAX_PAGE_ORDER; order++) {
		struct page *buddy = &r->pages[index ^ ((size_t)1 << order)];

		if (!is_free_block(buddy, order))
			break;
		block_remove(buddy);
		nr_dirty += buddy->nr_dirty;
		index &= ~((size_t)1 << order);
	}
	block_insert(&r->pages[index], order, nr_dirty);
}

/* Any range of pages is a sequence of blocks, each as large as its start and the rest allow. */
void range_free(struct region *r, size_t index, size_t nr)
{
	while (nr) {
		unsigned order = min(lowest_bit(index), ilog2(nr));
		size_t size;

		order = min(order, (unsigned)MAX_PAGE_ORDER);
		size = (size_t)1 << order;
		block_free(r, index, order, bitmap_count_range(r->dirty, index, size));
		index += size;
		nr -= size;
	}
}

/*
 * Allocation.
 */

/* Of the two halves of a block the dirtier one comes back, with its nr_dirty; the other is free. */
static struct page *block_split(struct region *r, struct page *page, unsigned order)
{
	size_t size = (size_t)1 << order, index = (size_t)(page - r->pages);
	unsigned all = page->nr_dirty, low, high;
	struct page *upper = page + size;

	low = all && all < 2 * size ? bitmap_count_range(r->dirty, index, size) : all / 2;
	high = all - low;
	page->nr_dirty = low;
	if (low >= high) {
		block_insert(upper, order, high);
		return page;
	}
	block_insert(page, order, low);
	upper->nr_dirty = high;
	return upper;
}

static struct page *block_take(unsigned order, enum zone_list list)
{
	uint32_t orders = zone.nonempty[list] >> order << order;
	struct region *r;
	struct page *page;
	unsigned k;

	if (!orders)
		return NULL;
	k = lowest_bit(orders);
	page = list_first(&zone.free[list][k], struct page, lru);
	block_remove(page);
	r = page_region(page);
	while (k-- > order)
		page = block_split(r, page, k);
	return page;
}

#define EXTENT_MIN	16u		/* pages: below, looking costs more than it gains */

/* Takes a block of @order and leaves @nr pages of it. */
static struct page *run_from(unsigned nr, unsigned order, enum zone_list list)
{
	struct page *page = block_take(order, list);
	struct region *r;

	if (page && nr < 1u << order) {
		r = page_region(page);
		range_free(r, (size_t)(page - r->pages) + nr, (1u << order) - nr);
	}
	return page;
}

static struct page *run_find(unsigned nr, unsigned align_order)
{
	unsigned order = max(order_of(nr), align_order);
	struct page *page = run_from(nr, order, ZONE_DIRTY);

	if (!page && nr >= EXTENT_MIN && !align_order)
		page = extent_take(nr);
	return page ? page : run_from(nr, order, ZONE_CLEAN);
}

static unsigned count_clean(struct page *page, unsigned nr)
{
	struct region *r = page_region(page);

	return nr - bitmap_count_range(r->dirty, (size_t)(page - r->pages), nr);
}

/* With zone.lock held, which it drops. */
static struct page *run_take_locked(unsigned nr, unsigned align_order, size_t keep)
{
	struct page *page = zone.nr_free >= nr + keep ? run_find(nr, align_order) : NULL;
	unsigned faults = 0;

	if (page) {
		page->type = PAGE_RUN;
		page->nr_pages = nr;
		faults = count_clean(page, nr);
		zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	}
	os_mutex_unlock(&zone.lock);
	limit_uncharge(page ? nr - faults : nr);
	if (faults)
		reclaim_note_fault(faults);
	return page;
}

static struct page *run_take(unsigned nr, unsigned align_order)
{
	/* All of them might fault; what does not is uncharged again. */
	if (!limit_charge(nr))
		return NULL;
	os_mutex_lock(&zone.lock);
	return run_take_locked(nr, align_order, zone.reserve);
}

struct page *zone_alloc_nowait(unsigned nr, unsigned align_order, size_t keep)
{
	/* The reserve is there for when the ceiling is reached. */
	if (keep < zone.reserve)
		limit_charge_anyway(nr);
	else if (!limit_charge(nr))
		return NULL;
	if (os_mutex_spin(&zone.lock))
		return run_take_locked(nr, align_order, keep);
	limit_uncharge(nr);
	return NULL;
}

struct page *zone_alloc(unsigned nr, unsigned align_order)
{
	unsigned order = max(order_of(nr), align_order);
	struct page *page = run_take(nr, align_order);
	unsigned tries;

	for (tries = 0; !page && tries < 4 && !limit_reached(nr) && zone_grow(order); tries++)
		page = run_take(nr, align_order);
	if (page)
		return page;
	/* Freed areas may hold the address space that is missing; purging lowers the charge. */
	if (vmap_purge(SIZE_MAX) && zone_grow(order))
		page = run_take(nr, align_order);
	return !page && zone_purge(SIZE_MAX, 0) ? run_take(nr, align_order) : page;
}

struct page *zone_alloc_huge(size_t nr)
{
	struct page *page = NULL;
	size_t faults = 0;

	if (nr > UINT32_MAX || !limit_charge(nr))
		return NULL;
	os_mutex_lock(&zone.lock);
	page = extent_take_huge(nr);
	if (page) {
		page->type = PAGE_RUN;
		page->nr_pages = (uint32_t)nr;
		faults = count_clean(page, (unsigned)nr);
		zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	}
	os_mutex_unlock(&zone.lock);
	limit_uncharge(nr - faults);
	return page;
}

void zone_free(struct page *page, unsigned nr)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages);

	if (region_is_low(r)) {
		low_free(r, page, nr);
		return;
	}
	WRITE_ONCE(page->type, PAGE_NONE);
	os_mutex_lock(&zone.lock);
	bitmap_set_range(r->dirty, index, nr);
	range_free(r, index, nr);
	os_mutex_unlock(&zone.lock);
}

bool zone_free_nowait(struct page *page, unsigned nr)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages);

	if (region_is_low(r) || !os_mutex_spin(&zone.lock))
		return false;
	WRITE_ONCE(page->type, PAGE_NONE);
	bitmap_set_range(r->dirty, index, nr);
	range_free(r, index, nr);
	os_mutex_unlock(&zone.lock);
	return true;
}

/* Nobody changes the bits of pages in use. */
void zone_zero(struct page *run)
{
	struct region *r = page_region(run);
	size_t index = (size_t)(run - r->pages), i;

	for (i = 0; i < run->nr_pages; i++)
		if (bitmap_test(r->dirty, (unsigned)(index + i)))
			__builtin_memset((char *)page_to_addr(run) + (i << PAGE_SHIFT), 0,
					 PAGE_SIZE);
}

bool zone_extend(struct page *run, unsigned nr)
{
	unsigned more = nr - run->nr_pages, faults = 0;
	struct region *r = page_region(run);
	bool done;

	if (nr > MAX_RUN_PAGES || !limit_charge(more))
		return false;
	os_mutex_lock(&zone.lock);
	done = extent_take_at(r, (size_t)(run - r->pages) + run->nr_pages, more);
	if (done) {
		faults = count_clean(run + run->nr_pages, more);
		zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	}
	os_mutex_unlock(&zone.lock);
	limit_uncharge(more - faults);
	if (done)
		run->nr_pages = nr;
	if (faults)
		reclaim_note_fault(faults);
	return done;
}

void zone_trim(struct page *run, unsigned nr)
{
	unsigned tail = run->nr_pages - nr;

	if (!tail)
		return;
	run->nr_pages = nr;
	zone_free(run + nr, tail);
}
