/* SPDX-License-Identifier: MIT */
/*
 * The zone: all free pages of all regions, in buddy blocks.
 */
#ifndef MM_ZONE_H
#define MM_ZONE_H

#include "mm/region.h"
#include "os/lock.h"

enum zone_list {
	ZONE_DIRTY,		/* blocks with pages that hold memory: handed out first */
	ZONE_CLEAN,		/* blocks that hold none and read as zero */
	NR_ZONE_LISTS,
};

struct zone {
	struct os_mutex lock;		/* guards everything below and the pages on the lists */
	uint32_t nonempty[NR_ZONE_LISTS];	/* bit k: free[list][k] is not empty */
	struct list_node free[NR_ZONE_LISTS][NR_ORDERS];
	size_t nr_free;			/* pages on the lists */
	size_t nr_dirty;		/* of them: pages that hold memory */
	size_t nr_isolated;		/* pages off the lists while they are purged */
	size_t managed;			/* pages ever given to the zone */
	size_t reserve;			/* free pages that only requests with a right to them get */
	size_t dirty_low;		/* fewest dirty pages since zone_dirty_low_reset */
	size_t purged;			/* pages ever given back to the system */
};

extern struct zone zone __hidden;

void zone_init(void);

/*
 * @nr contiguous pages (1 … MAX_RUN_PAGES), the first one at a multiple of
 * PAGE_SIZE << @align_order.  The struct page of the first one comes back as PAGE_RUN with
 * nr_pages set.  NULL if the system has no more memory.
 */
struct page *zone_alloc(unsigned nr, unsigned align_order);

/*
 * A run larger than MAX_RUN_PAGES from free blocks side by side, if there are as many: for when the
 * system does not give a mapping of that size.
 */
struct page *zone_alloc_huge(size_t nr);

/*
 * The same from what is mapped, without waiting and without a system call.  At least @keep pages
 * stay free.
 */
struct page *zone_alloc_nowait(unsigned nr, unsigned align_order, size_t keep);

/* Zeroes a run that was just allocated, but for the pages that read as zero anyway. */
void zone_zero(struct page *run);

/* @nr pages from @page on come back, taken to be dirty all of them. */
void zone_free(struct page *page, unsigned nr);

/* The same without waiting and without a system call.  False: nothing was done. */
bool zone_free_nowait(struct page *page, unsigned nr);

/* The run has @nr pages from now on, more than before.  False if the pages behind it are in use. */
bool zone_extend(struct page *run, unsigned nr);

/* The last pages of a run come back: it has @nr left. */
void zone_trim(struct page *run, unsigned nr);

/*
 * Gives about @pages dirty pages back to the system, the largest and coldest blocks first,
 * none smaller than 1 << @min_order.  Returns how many.
 */
size_t zone_purge(size_t pages, unsigned min_order);

/*
 * Gives back the struct pages inside large free blocks without dirty pages: all of them are
 * PAGE_NONE, which is what zeroed ones are.
 */
void zone_purge_metadata(void);

/* Pages that are no free blocks went back to the system: for zone.purged. */
void zone_count_purged(size_t pages);

/* Fewest dirty pages since the last call: what nobody needed (Bonwick's working set). */
size_t zone_dirty_low_reset(void);

/* How many free blocks there are of each order (zone_show.c). */
void zone_count_blocks(size_t blocks[NR_ORDERS]);

/* Debug: walks all lists and compares them with the counters.  Returns the number of errors. */
unsigned zone_check(void);

#endif
