/* SPDX-License-Identifier: MIT */
/*
 * Giving free pages back to the system.
 *
 * Blocks are isolated under the lock, purged outside of it, and put back as clean.
 *
 * Locks: zone.lock.
 */
#include "mm/zone_block.h"

#include "lib/bitmap.h"
#include "mm/limit.h"

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
		ADD_ONCE(zone.purged, nr_dirty);
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

/* A page of struct pages describes 64 pages; the first of them stays, with the block's own. */
#define DESCRIBED	(PAGE_SIZE / sizeof(struct page))
#define MIN_BARE_ORDER	8u

static struct page *isolate_with_metadata(void)
{
	struct list_node *pos;
	unsigned order;

	for (order = MIN_BARE_ORDER; order < NR_ORDERS; order++)
		list_for_each(pos, &zone.free[ZONE_CLEAN][order]) {
			struct page *page = list_entry(pos, struct page, lru);

			if (page->flags & PG_BARE)
				continue;
			block_remove(page);
			page->type = PAGE_ISOLATED;
			zone.nr_isolated += (size_t)1 << order;
			return page;
		}
	return NULL;
}

static void put_back_bare(struct page *page)
{
	unsigned order = page->order;

	put_back(page, false);
	if (is_free_block(page, order) && !page->nr_dirty)
		page->flags |= PG_BARE;
}

void zone_purge_metadata(void)
{
	struct page *page;

	for (;;) {
		os_mutex_lock(&zone.lock);
		page = isolate_with_metadata();
		os_mutex_unlock(&zone.lock);
		if (!page)
			return;
		os_purge(page + DESCRIBED, (((size_t)1 << page->order) - DESCRIBED) *
						   sizeof(struct page));
		os_mutex_lock(&zone.lock);
		put_back_bare(page);
		os_mutex_unlock(&zone.lock);
	}
}

void zone_count_purged(size_t pages)
{
	os_mutex_lock(&zone.lock);
	ADD_ONCE(zone.purged, pages);
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
