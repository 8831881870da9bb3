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
#include "mm/zone.h"

#include <limits.h>

#include "lib/bitmap.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/low.h"
#include "mm/reclaim.h"
#include "mm/vmap.h"

struct zone zone = { .lock = OS_MUTEX(RANK_ZONE) };
size_t limit_pages;
_Atomic size_t charged_pages;

/* Set while one thread reserves a further region; not a lock, since that is a system call. */
static _Atomic bool creating_region;

#define GROW_MIN	((size_t)256 << 10)
#define GROW_MAX	((size_t)32 << 20)

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

static enum zone_list list_of(const struct page *page)
{
	return page->nr_dirty ? ZONE_DIRTY : ZONE_CLEAN;
}

static void block_insert(struct page *page, unsigned order, unsigned nr_dirty)
{
	page->type = PAGE_FREE;
	page->order = (uint8_t)order;
	page->nr_dirty = nr_dirty;
	list_add(&page->lru, &zone.free[list_of(page)][order]);
	zone.nonempty[list_of(page)] |= 1u << order;
	zone.nr_free += (size_t)1 << order;
	zone.nr_dirty += nr_dirty;
}

static void block_remove(struct page *page)
{
	enum zone_list list = list_of(page);
	unsigned order = page->order;

	page->type = PAGE_NONE;
	list_del(&page->lru);
	if (list_empty(&zone.free[list][order]))
		zone.nonempty[list] &= ~(1u << order);
	zone.nr_free -= (size_t)1 << order;
	zone.nr_dirty -= page->nr_dirty;
}

static bool is_free_block(const struct page *page, unsigned order)
{
	return page->type == PAGE_FREE && page->order == order;
}

static void block_free(struct region *r, size_t index, unsigned order, unsigned nr_dirty)
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
static void range_free(struct region *r, size_t index, size_t nr)
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

/*
 * Free neighbours that are no buddies, for large runs that need no alignment.  Power-of-two blocks
 * alone would leave a program with large buffers of odd sizes with half of its free memory in
 * places where nothing fits.
 */

#define EXTENT_MIN	16u		/* pages: below, looking costs more than it gains */
#define EXTENT_TRIES	8		/* blocks of a list to look around */

/*
 * Is the page at @index, of which nothing is known, the first one of a free block?  The struct
 * pages of a slab's tail hold its bitmap, which may look like anything, so the slab map is asked as
 * well.  A slab that is being made or released meanwhile sets its map bytes before it writes
 * bits and clears them after it cleared the bits (slab/slab.c): hence the order, and the second look.
 */
static struct page *block_at(struct region *r, size_t index)
{
	uintptr_t addr = r->base + (index << PAGE_SHIFT);
	struct page *page = &r->pages[index];

	if (addr < r->heap || addr >= READ_ONCE(r->usable) || READ_ONCE(page->type) != PAGE_FREE)
		return NULL;
	atomic_thread_fence(memory_order_acquire);	/* pairs with the fences in slab_set_map */
	if (READ_ONCE(*slab_map_byte(r, addr)))
		return NULL;
	atomic_thread_fence(memory_order_acquire);
	return READ_ONCE(page->type) == PAGE_FREE ? page : NULL;
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
static struct page *extent_take(unsigned nr)
{
	unsigned order = ilog2(nr), i;
	struct page *page = NULL;

	for (i = 0; i < 3 && !page; i++)
		page = extent_in(&zone.free[ZONE_DIRTY][order - i], nr, EXTENT_TRIES);
	return page;
}

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
	if (!limit_charge(nr))
		return NULL;
	if (os_mutex_spin(&zone.lock))
		return run_take_locked(nr, align_order, keep);
	limit_uncharge(nr);
	return NULL;
}

/*
 * Growth.
 */

/* Small at first, so that a small program's metadata stays within a few pages. */
static size_t grow_step(void)
{
	return max(min(zone.managed * PAGE_SIZE / 4, GROW_MAX), GROW_MIN);
}

/* A range of the newest region that holds an aligned block of @order, or false. */
static bool grow_reserve(struct region *r, unsigned order, size_t step, uintptr_t range[2])
{
	size_t block = PAGE_SIZE << order;
	size_t unit = step < BLOCK_SIZE ? GROW_MIN : BLOCK_SIZE;
	uintptr_t least = align_up(r->grown, block) + block;
	uintptr_t end = max(least, align_up(r->grown + step, unit));

	if (end > r->end)
		end = least;
	if (end > r->end || end < r->grown)
		return false;
	range[0] = r->grown;
	range[1] = end;
	r->grown = end;
	return true;
}

static bool grow_add(struct region *r, uintptr_t start, uintptr_t end)
{
	size_t pages = (end - start) >> PAGE_SHIFT;

	if (region_commit(r, start, end - start))
		return false;
	os_mutex_lock(&zone.lock);
	range_free(r, (start - r->base) >> PAGE_SHIFT, pages);
	zone.managed += pages;
	os_mutex_unlock(&zone.lock);
	return true;
}

/* The system refused: hand the range back if nobody reserved behind it meanwhile. */
static void grow_undo(struct region *r, const uintptr_t range[2])
{
	os_mutex_lock(&zone.lock);
	if (r->grown == range[1])
		r->grown = range[0];
	os_mutex_unlock(&zone.lock);
}

static bool grow_in(struct region *r, unsigned order, size_t step)
{
	uintptr_t range[2];
	bool reserved;

	os_mutex_lock(&zone.lock);
	reserved = grow_reserve(r, order, step ? step : grow_step(), range);
	os_mutex_unlock(&zone.lock);
	if (!reserved)
		return false;
	if (grow_add(r, range[0], range[1]))
		return true;
	grow_undo(r, range);
	return false;
}

static bool grow_region(void)
{
	bool done, taken = false;

	if (!atomic_compare_exchange_strong(&creating_region, &taken, true)) {
		os_yield_cpu(~0u);
		return true;		/* the other thread may have made one: look again */
	}
	done = region_create() != NULL;
	atomic_store(&creating_region, false);
	return done;
}

/* A generous step first, then just what is needed, then a new region. */
static bool zone_grow(unsigned order)
{
	unsigned nr = atomic_load_explicit(&nr_regions, memory_order_acquire);

	if (nr && (grow_in(&regions[nr - 1], order, 0) ||
		   grow_in(&regions[nr - 1], order, PAGE_SIZE << order)))
		return true;
	return grow_region();
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

	if (nr > UINT32_MAX || !limit_charge(nr))
		return NULL;
	os_mutex_lock(&zone.lock);
	page = extent_in(&zone.free[ZONE_DIRTY][MAX_PAGE_ORDER], nr, UINT_MAX);
	if (!page)
		page = extent_in(&zone.free[ZONE_CLEAN][MAX_PAGE_ORDER], nr, UINT_MAX);
	if (page) {
		page->type = PAGE_RUN;
		page->nr_pages = (uint32_t)nr;
		zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	}
	os_mutex_unlock(&zone.lock);
	if (!page)
		limit_uncharge(nr);
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
	page->type = PAGE_NONE;
	os_mutex_lock(&zone.lock);
	bitmap_set_range(r->dirty, index, nr);
	range_free(r, index, nr);
	os_mutex_unlock(&zone.lock);
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

/* Takes the free pages behind a run, if there are enough. */
static bool run_extend(struct page *run, unsigned more)
{
	struct region *r = page_region(run);
	size_t end = (size_t)(run - r->pages) + run->nr_pages, at = end, size;
	struct page *page;

	while (at - end < more && (page = block_at(r, at)))
		at += (size_t)1 << page->order;
	if (at - end < more)
		return false;
	size = extent_remove(r, end, more);
	range_free(r, end + more, size - more);
	zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	return true;
}

bool zone_extend(struct page *run, unsigned nr)
{
	unsigned more = nr - run->nr_pages, faults = 0;
	bool done;

	if (nr > MAX_RUN_PAGES || !limit_charge(more))
		return false;
	os_mutex_lock(&zone.lock);
	done = run_extend(run, more);
	if (done)
		faults = count_clean(run + run->nr_pages, more);
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

/*
 * Purging.
 */

#define PURGE_BATCH	16

static unsigned isolate(struct page **batch, size_t *pages, unsigned min_order)
{
	unsigned nr = 0, order = NR_ORDERS;

	while (order-- > min_order) {
		struct list_node *head = &zone.free[ZONE_DIRTY][order];

		while (nr < PURGE_BATCH && *pages && !list_empty(head)) {
			batch[nr] = list_last(head, struct page, lru);
			block_remove(batch[nr]);
			batch[nr]->type = PAGE_ISOLATED;
			zone.nr_isolated += (size_t)1 << order;
			*pages -= min(*pages, (size_t)batch[nr]->nr_dirty);
			nr++;
		}
	}
	zone.dirty_low = min(zone.dirty_low, zone.nr_dirty);
	return nr;
}

static void put_back(struct page *page, bool purged)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages), size = (size_t)1 << page->order;
	unsigned nr_dirty = page->nr_dirty;

	page->type = PAGE_NONE;
	zone.nr_isolated -= size;
	if (purged) {
		bitmap_clear_range(r->dirty, index, size);
		zone.purged += nr_dirty;
		limit_uncharge(nr_dirty);
		nr_dirty = 0;
	}
	block_free(r, index, page->order, nr_dirty);
}

/* Locked memory cannot be purged: such blocks come back dirty. */
static size_t purge_batch(struct page **batch, unsigned nr)
{
	bool done[PURGE_BATCH];
	size_t purged = 0;
	unsigned i;

	for (i = 0; i < nr; i++) {
		done[i] = !os_purge((void *)page_to_addr(batch[i]), PAGE_SIZE << batch[i]->order);
		purged += done[i] ? batch[i]->nr_dirty : 0;
	}
	os_mutex_lock(&zone.lock);
	for (i = 0; i < nr; i++)
		put_back(batch[i], done[i]);
	os_mutex_unlock(&zone.lock);
	return purged;
}

size_t zone_purge(size_t pages, unsigned min_order)
{
	struct page *batch[PURGE_BATCH];
	size_t now, total = 0;
	unsigned nr;

	do {
		os_mutex_lock(&zone.lock);
		nr = isolate(batch, &pages, min_order);
		os_mutex_unlock(&zone.lock);
		now = purge_batch(batch, nr);
		total += now;
	} while (now && pages);
	return total;
}

void zone_count_purged(size_t pages)
{
	os_mutex_lock(&zone.lock);
	zone.purged += pages;
	os_mutex_unlock(&zone.lock);
}

size_t zone_dirty_low_reset(void)
{
	size_t low;

	os_mutex_lock(&zone.lock);
	low = zone.dirty_low;
	zone.dirty_low = zone.nr_dirty;
	os_mutex_unlock(&zone.lock);
	return low;
}

/*
 * Checking.
 */

static unsigned block_errors(const struct page *page, unsigned order, enum zone_list list)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages), size = (size_t)1 << order;
	const struct page *buddy = &r->pages[index ^ size];

	return !is_free_block(page, order) + ((index & (size - 1)) != 0) +
	       (page->nr_dirty != bitmap_count_range(r->dirty, index, size)) +
	       (list_of(page) != list) +
	       (order < MAX_PAGE_ORDER && is_free_block(buddy, order));
}

static unsigned list_errors(enum zone_list list, unsigned order, size_t *pages, size_t *dirty)
{
	struct list_node *pos;
	unsigned errors = 0;

	list_for_each(pos, &zone.free[list][order]) {
		struct page *page = list_entry(pos, struct page, lru);

		errors += block_errors(page, order, list);
		*pages += (size_t)1 << order;
		*dirty += page->nr_dirty;
	}
	return errors + (list_empty(&zone.free[list][order]) !=
			 !(zone.nonempty[list] >> order & 1));
}

unsigned zone_check(void)
{
	size_t pages = 0, dirty = 0;
	unsigned l, k, errors = 0;

	os_mutex_lock(&zone.lock);
	for (l = 0; l < NR_ZONE_LISTS; l++)
		for (k = 0; k < NR_ORDERS; k++)
			errors += list_errors(l, k, &pages, &dirty);
	errors += (pages != zone.nr_free) + (dirty != zone.nr_dirty);
	os_mutex_unlock(&zone.lock);
	return errors;
}
