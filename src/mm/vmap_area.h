/* SPDX-License-Identifier: MIT */
/*
 * vmap areas, among the files vmap*.c.
 */
#ifndef MM_VMAP_AREA_H
#define MM_VMAP_AREA_H

#include "mm/vmap.h"

struct vmap_area {
	struct treap_node node;		/* key: start */
	size_t size;			/* committed */
	size_t reserved;		/* address space, from start on */
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

/* The area in use that starts at @addr, or NULL.  Under vmap.lock, as all but the last two. */
struct vmap_area *area_at(const void *addr);
void count_busy(const struct vmap_area *area, int sign);

/* Reserves the address space of an area.  False if the system refuses. */
bool area_map(struct vmap_area *area, size_t size, size_t align);

/* The area is in use from now on. */
void tree_add_busy(struct vmap_area *area);

#endif
