/* SPDX-License-Identifier: MIT */
/*
 * vmap areas, among the files vmap*.c.
 *
 * An area is one mapping, or several side by side (pieces, see vmap_compose.c): then it is the
 * first one, and the others follow it in a list.
 */
#ifndef MM_VMAP_AREA_H
#define MM_VMAP_AREA_H

#include "mm/vmap.h"

struct vmap_area {
	struct treap_node node;		/* key: start */
	size_t size;			/* committed; of an area in use: with all its pieces */
	size_t reserved;		/* address space, from start on */
	struct vmap_area *next;		/* of an area in use: its next piece */
	bool busy;
	bool clean;			/* of a lazy area: purged, reads as zero */
	struct list_node lru;		/* lazy: hottest first; unused: free list */
};

struct vmap {
	struct os_mutex lock;
	struct treap_node *tree;
	struct list_node lazy;
	struct list_node unused;	/* struct vmap_area without a job */
	struct vmap_stats stats;
	size_t lazy_low;
};

extern struct vmap vmap __hidden;

#define HUGE_SIZE	((size_t)2 << 20)
#define SPLIT_MIN	((size_t)1 << 20)	/* no area is kept that is smaller */

/* The area in use that starts at @addr, or NULL.  Under vmap.lock, as all up to lazy_del. */
struct vmap_area *area_at(const void *addr);
void count_busy(const struct vmap_area *area, int sign);
void busy_resize(struct vmap_area *area, size_t size, size_t reserved);

/* On and off the list of areas kept for reuse; its place in the tree does not change. */
void lazy_add(struct vmap_area *area);
void lazy_del(struct vmap_area *area);

/* A descriptor, or NULL; and back. */
struct vmap_area *area_get(void);
void area_put(struct vmap_area *area);

/* A newly mapped area in use; what is kept for reuse is given up if there is no other memory. */
struct vmap_area *area_fresh(size_t size, size_t align);

/* Takes an area that is in no tree and on no list out of the address space.  Returns pages. */
size_t area_destroy(struct vmap_area *area);

/*
 * vmap_compose.c: an area of @size bytes, in use, of what is kept for reuse, and how much of it may
 * not read as zero.  NULL if nothing is kept.
 */
struct vmap_area *area_compose(size_t size, size_t *dirty);

/* Reserves the address space of an area.  False if the system refuses. */
bool area_map(struct vmap_area *area, size_t size, size_t align);

/*
 * vmap_guard.c, in hardened mode: an area that was freed and that nobody finds any more becomes
 * inaccessible.  True if it reads as zero from now on.  Without the lock.
 */
bool guard_freed(struct vmap_area *area);

/* In hardened mode: the area is accessible again.  False if the system refuses. */
bool guard_lift(struct vmap_area *area);

/* Does the freed area, with @newer ones that were freed after it, serve a request of @size? */
bool guard_allows(const struct vmap_area *area, unsigned newer, size_t size);

/* The area is in use from now on. */
void tree_add_busy(struct vmap_area *area);

#endif
