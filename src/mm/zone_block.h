/* SPDX-License-Identifier: MIT */
/*
 * The zone's free blocks, among the files zone*.c.  All of these want zone.lock held.
 */
#ifndef MM_ZONE_BLOCK_H
#define MM_ZONE_BLOCK_H

#include "mm/zone.h"

static inline enum zone_list block_list(const struct page *page)
{
	return page->nr_dirty ? ZONE_DIRTY : ZONE_CLEAN;
}

static inline bool is_free_block(const struct page *page, unsigned order)
{
	/* Whoever uses pages writes their types without the lock, but never this one. */
	return READ_ONCE(page->type) == PAGE_FREE && page->order == order;
}

/* On and off the list that is right for it. */
void block_insert(struct page *page, unsigned order, unsigned nr_dirty);
void block_remove(struct page *page);

/* The block at @index becomes free, joined with its buddy if that is free too, and so on. */
void block_free(struct region *r, size_t index, unsigned order, unsigned nr_dirty);

/* So do @nr pages from @index on. */
void range_free(struct region *r, size_t index, size_t nr);

/*
 * zone_extent.c: @nr pages from several free blocks side by side.
 */

/* From dirty blocks if possible; not looking far. */
struct page *extent_take(unsigned nr);

/* Any number of pages, wherever they are. */
struct page *extent_take_huge(size_t nr);

/* The @more pages from @index on.  False if they are not all free. */
bool extent_take_at(struct region *r, size_t index, unsigned more);

/*
 * zone_grow.c: makes more of the reserved ranges usable, so that a block of @order can be had.
 * False if the system refuses.  Without zone.lock.
 */
bool zone_grow(unsigned order);

#endif
