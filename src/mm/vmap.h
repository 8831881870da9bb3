/* SPDX-License-Identifier: MIT */
/*
 * vmap areas: requests above the largest buddy block get a mapping of their own, with an
 * inaccessible guard page behind it.
 */
#ifndef MM_VMAP_H
#define MM_VMAP_H

#include "lib/list.h"
#include "lib/treap.h"
#include "os/lock.h"
#include "os/os.h"

/*
 * Hardened mode, set once at start: freed areas are inaccessible, and the last of them are not used
 * again.
 */
extern bool vmap_guarded __hidden;

struct vmap_stats {
	size_t nr_busy, busy_pages;	/* areas in use */
	size_t nr_lazy, lazy_pages;	/* freed areas kept for reuse */
};

/*
 * At least @size bytes at a multiple of @align (a power of two, at least PAGE_SIZE).  All but the
 * first *dirty of them read as zero.  NULL if the system refuses.
 */
void *vmap_alloc(size_t size, size_t align, size_t *dirty);

/* Where is the area in use that contains @addr?  False if there is none. */
bool vmap_find(const void *addr, uintptr_t *start, size_t *size);

/* The same for who may not wait, inside or outside the gate.  False also if the lock is taken. */
bool vmap_find_nowait(const void *addr, uintptr_t *start, size_t *size);

/* In the child of a fork: no thread that looked for an area came along. */
void vmap_fork_child(void);

/* False if no area in use starts at @addr. */
bool vmap_free(void *addr);

/*
 * The area at @addr gets room for @size bytes; its contents move with it without being copied.
 * NULL (and no change) if the system refuses or no area in use starts at @addr.
 */
void *vmap_resize(void *addr, size_t size);

/* Unmaps areas kept for reuse, the coldest first, until @pages are released.  Returns pages. */
size_t vmap_purge(size_t pages);

/* Fewest pages kept for reuse since the last call: what nobody needed. */
size_t vmap_lazy_low_reset(void);

void vmap_stats(struct vmap_stats *stats);

/* Pages kept for reuse, and in use, as of some recent moment; no lock. */
size_t vmap_lazy_pages(void);
size_t vmap_busy_pages(void);

/* Are there so many areas that the system's limit of mappings is near? */
bool vmap_is_crowded(void);

/* Debug: compares the tree and lists with the counters.  Returns the number of errors. */
unsigned vmap_check(void);

#endif
