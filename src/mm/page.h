/* SPDX-License-Identifier: MIT */
/*
 * struct page: what the library knows of one page, kept far from the page itself.
 *
 * Only the first page of a free block, of an allocated run and of a slab is described; all
 * other pages are PAGE_NONE.  So "type != PAGE_NONE" means "something starts here", and a pointer
 * that somebody made up cannot be taken for the start of anything.
 *
 * The tail pages of a slab lend their struct pages to its bitmap of free objects
 * (slab/slab.c); they are cleared before the slab's pages go back to the zone.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "lib/list.h"
#include "os/os.h"

#define MAX_PAGE_ORDER	10		/* 4 MiB, as the kernel's on x86-64 */
#define NR_ORDERS	(MAX_PAGE_ORDER + 1)
#define MAX_RUN_PAGES	(1u << MAX_PAGE_ORDER)

enum page_type {
	PAGE_NONE,		/* no first page */
	PAGE_FREE,		/* a block of 1 << order pages on a free list of the zone */
	PAGE_ISOLATED,		/* a free block taken off its list while it is purged */
	PAGE_RUN,		/* nr_pages pages in use */
	PAGE_SLAB,		/* 1 << order pages of objects */
};

/* Of a slab: */
#define PG_USED		0x01	/* an object was taken or freed since the last look for holes */
#define PG_HOLES	0x02	/* pages without objects may hold memory */
#define PG_ISOLATED	0x04	/* off its list while holes are purged: nothing is taken from it */

/* Of a run below 4 GiB: */
#define PG_GUARD	0x10	/* the page behind it is inaccessible and belongs to it */

/* Of a free block: */
#define PG_BARE		0x08	/* most of its struct pages hold no memory either */

struct kmem_cache;

struct page {
	uint8_t type;			/* enum page_type */
	uint8_t order;			/* of a free block or a slab */
	uint8_t flags;			/* PG_* */
	uint8_t fullness;		/* of a slab: index of its partial list */
	union {
		uint32_t nr_pages;	/* of a run */
		uint32_t nr_dirty;	/* of a free block: its pages that hold memory */
		uint32_t colour;	/* of a slab: bytes before its first object */
	};
	union {
		struct list_node lru;		/* zone: free list; slab: partial list */
		struct page *next_parked;	/* of a slab that is parked */
	};
	struct kmem_cache *cache;	/* of a slab */
	uint16_t free_objects;		/* of a slab: bits set in its bitmap */
	uint16_t first_word;		/* of a slab: no bit is set in words below this one */
	uint32_t refcount;		/* of a run that somebody asked for by pages */
	void *private;			/* of a run: for who allocated it */
	uint64_t spare[2];
};

static_assert(sizeof(struct page) == 64, "one cache line a page");

#define pages_of(bytes)		(((bytes) + PAGE_SIZE - 1) >> PAGE_SHIFT)

#endif
