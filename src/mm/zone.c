/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator.
 *
 * Free memory is kept in blocks of 1 << order pages at multiples of their own size.  The buddy of
 * a block is found by flipping one bit of its page index; two free buddies become one block of the
 * next order.  A request takes the smallest block that is large enough, and what is too much goes
 * straight back, so a run of 5 pages costs 5 pages.
 *
 * Every free block is either dirty (it was used; its memory is still there) or clean (fresh from
 * the kernel or purged; reads as zero).  Buddies merge only if both are the same.  That keeps
 * the two kinds exact: dirty pages are counted to the page, calloc trusts PG_CLEAN, and nothing
 * is ever purged twice.  The price is that a dirty and a clean neighbour stay apart until the
 * dirty one is purged, at most a decay period later, or at once when memory is short.
 *
 * Dirty blocks are handed out first, the hottest first: reusing one costs no page fault.
 *
 * Invariants (zone_check): a block on free[s][k] has type PAGE_FREE, order k, an index that is a
 * multiple of 1 << k, PG_CLEAN iff s is ZONE_CLEAN; its buddy is not free in the same state;
 * the sums agree with nr_free; nonempty agrees with the lists.
 *
 * Locks: zone.lock for all of it.  No system call is made under it: growing reserves a range
 * under the lock, commits it outside, and adds it; purging isolates blocks the same way.
 *
 * References: Knowlton, "A fast storage allocator" (CACM 1965); Linux mm/page_alloc.c.
 */
#include "mm/zone.h"

#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/reclaim.h"

struct zone zone = { .lock = OS_MUTEX(RANK_ZONE) };
size_t limit_pages;
_Atomic size_t charged_pages;

/* Set while one thread reserves a further region; not a lock, since that is a system call. */
static _Atomic bool creating_region;

#define GROW_MIN	((size_t)256 << 10)
#define GROW_MAX	((size_t)32 << 20)

void zone_init(void)
{
	unsigned s, k;

	for (s = 0; s < NR_ZONE_STATES; s++)
		for (k = 0; k < NR_ORDERS; k++)
			list_init(&zone.free[s][k]);
}

/*
 * Free lists.
 */

static void block_insert(struct page *page, unsigned order, enum zone_state state)
{
	page->type = PAGE_FREE;
	page->order = (uint8_t)order;
	page->flags = state == ZONE_CLEAN ? PG_CLEAN : 0;
	list_add(&page->lru, &zone.free[state][order]);
	zone.nonempty[state] |= 1u << order;
	zone.nr_free[state] += (size_t)1 << order;
}

static void block_remove(struct page *page, enum zone_state state)
{
	unsigned order = page->order;

	page->type = PAGE_NONE;
	list_del(&page->lru);
	if (list_empty(&zone.free[state][order]))
		zone.nonempty[state] &= ~(1u << order);
	zone.nr_free[state] -= (size_t)1 << order;
}

static bool can_merge(const struct page *buddy, unsigned order, enum zone_state state)
{
	return buddy->type == PAGE_FREE && buddy->order == order &&
	       !!(buddy->flags & PG_CLEAN) == (state == ZONE_CLEAN);
}

static void block_free(struct region *r, size_t index, unsigned order, enum zone_state state)
{
	for (; order < MAX_PAGE_ORDER; order++) {
		struct page *buddy = &r->pages[index ^ ((size_t)1 << order)];

		if (!can_merge(buddy, order, state))
			break;
		block_remove(buddy, state);
		index &= ~((size_t)1 << order);
	}
	block_insert(&r->pages[index], order, state);
}

/* Any range of pages is a sequence of blocks, each as large as its start and the rest allow. */
static void range_free(struct page *page, size_t nr, enum zone_state state)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages);

	while (nr) {
		unsigned order = min(min(lowest_bit(index), ilog2(nr)), (unsigned)MAX_PAGE_ORDER);

		block_free(r, index, order, state);
		index += (size_t)1 << order;
		nr -= (size_t)1 << order;
	}
}

/*
 * Allocation.
 */

static struct page *block_take(unsigned order, enum zone_state state)
{
	uint32_t orders = zone.nonempty[state] >> order << order;
	struct page *page;
	unsigned k;

	if (!orders)
		return NULL;
	k = lowest_bit(orders);
	page = list_first(&zone.free[state][k], struct page, lru);
	block_remove(page, state);
	while (k-- > order)
		block_insert(page + ((size_t)1 << k), k, state);
	return page;
}

static struct page *run_from(unsigned nr, unsigned order, enum zone_state state)
{
	struct page *page = block_take(order, state);

	if (!page)
		return NULL;
	if (nr < 1u << order)
		range_free(page + nr, (1u << order) - nr, state);
	page->type = PAGE_RUN;
	page->nr_pages = nr;
	page->flags = state == ZONE_CLEAN ? PG_CLEAN : 0;
	return page;
}

static struct page *run_take(unsigned nr, unsigned order)
{
	struct page *page;

	os_mutex_lock(&zone.lock);
	page = run_from(nr, order, ZONE_DIRTY);
	zone.dirty_low = min(zone.dirty_low, zone.nr_free[ZONE_DIRTY]);
	if (!page && limit_charge(nr)) {
		page = run_from(nr, order, ZONE_CLEAN);
		if (!page)
			limit_uncharge(nr);
	}
	os_mutex_unlock(&zone.lock);
	if (page && page->flags & PG_CLEAN)
		reclaim_note_fault(nr);
	return page;
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
	range_free(region_page(r, start), pages, ZONE_CLEAN);
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
	struct page *page = run_take(nr, order);
	unsigned tries;

	for (tries = 0; !page && tries < 4 && !limit_reached(nr) && zone_grow(order); tries++)
		page = run_take(nr, order);
	if (page)
		return page;
	/* Purging joins dirty and clean neighbours and lowers the charge. */
	return zone_purge(SIZE_MAX, 0) ? run_take(nr, order) : NULL;
}

void zone_free(struct page *page, unsigned nr)
{
	page->type = PAGE_NONE;
	os_mutex_lock(&zone.lock);
	range_free(page, nr, ZONE_DIRTY);
	os_mutex_unlock(&zone.lock);
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
			block_remove(batch[nr], ZONE_DIRTY);
			batch[nr]->type = PAGE_ISOLATED;
			zone.nr_isolated += (size_t)1 << order;
			*pages -= min(*pages, (size_t)1 << order);
			nr++;
		}
	}
	zone.dirty_low = min(zone.dirty_low, zone.nr_free[ZONE_DIRTY]);
	return nr;
}

static void put_back(struct page *page, enum zone_state state)
{
	size_t nr = (size_t)1 << page->order;

	page->type = PAGE_NONE;
	zone.nr_isolated -= nr;
	if (state == ZONE_CLEAN) {
		zone.purged += nr;
		limit_uncharge(nr);
	}
	range_free(page, nr, state);
}

/* Locked memory cannot be purged: such blocks come back dirty. */
static size_t purge_batch(struct page **batch, unsigned nr)
{
	enum zone_state result[PURGE_BATCH];
	size_t purged = 0;
	unsigned i;

	for (i = 0; i < nr; i++) {
		size_t size = PAGE_SIZE << batch[i]->order;

		result[i] = os_purge((void *)page_to_addr(batch[i]), size) ? ZONE_DIRTY : ZONE_CLEAN;
		if (result[i] == ZONE_CLEAN)
			purged += size >> PAGE_SHIFT;
	}
	os_mutex_lock(&zone.lock);
	for (i = 0; i < nr; i++)
		put_back(batch[i], result[i]);
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

size_t zone_dirty_low_reset(void)
{
	size_t low;

	os_mutex_lock(&zone.lock);
	low = zone.dirty_low;
	zone.dirty_low = zone.nr_free[ZONE_DIRTY];
	os_mutex_unlock(&zone.lock);
	return low;
}

/*
 * Checking.
 */

static unsigned block_errors(const struct page *page, unsigned order, enum zone_state state)
{
	struct region *r = page_region(page);
	size_t index = (size_t)(page - r->pages);
	const struct page *buddy = &r->pages[index ^ ((size_t)1 << order)];

	return (page->type != PAGE_FREE) + (page->order != order) +
	       ((index & (((size_t)1 << order) - 1)) != 0) +
	       (!!(page->flags & PG_CLEAN) != (state == ZONE_CLEAN)) +
	       (order < MAX_PAGE_ORDER && can_merge(buddy, order, state));
}

static unsigned list_errors(enum zone_state state, unsigned order, size_t *pages)
{
	struct list_node *pos;
	unsigned errors = 0;

	list_for_each(pos, &zone.free[state][order]) {
		errors += block_errors(list_entry(pos, struct page, lru), order, state);
		*pages += (size_t)1 << order;
	}
	return errors + (list_empty(&zone.free[state][order]) !=
			 !(zone.nonempty[state] >> order & 1));
}

unsigned zone_check(void)
{
	unsigned s, k, errors = 0;

	os_mutex_lock(&zone.lock);
	for (s = 0; s < NR_ZONE_STATES; s++) {
		size_t pages = 0;

		for (k = 0; k < NR_ORDERS; k++)
			errors += list_errors(s, k, &pages);
		errors += pages != zone.nr_free[s];
	}
	os_mutex_unlock(&zone.lock);
	return errors;
}
