/* SPDX-License-Identifier: MIT */
/*
 * The zone's free blocks, counted for reports and checked against their counters.
 *
 * Locks: zone.lock.
 */
#include "mm/zone_block.h"

#include "lib/bitmap.h"

static size_t list_length(const struct list_node *head)
{
	const struct list_node *pos;
	size_t nr = 0;

	list_for_each(pos, head)
		nr++;
	return nr;
}

void zone_count_blocks(size_t blocks[NR_ORDERS])
{
	unsigned k, l;

	os_mutex_lock(&zone.lock);
	for (k = 0; k < NR_ORDERS; k++) {
		blocks[k] = 0;
		for (l = 0; l < NR_ZONE_LISTS; l++)
			blocks[k] += list_length(&zone.free[l][k]);
	}
	os_mutex_unlock(&zone.lock);
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
	       (block_list(page) != list) +
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
