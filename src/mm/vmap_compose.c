/* SPDX-License-Identifier: MIT */
/*
 * Areas made of freed ones.
 *
 * Where large blocks of many sizes come and go, what was freed rarely has the size that is asked
 * for next.  Mapping new memory beside it would take a page fault a page, and memory for both.  So
 * a request that no freed area can serve takes the pages of several: they are moved by mremap, side
 * by side, to a new range of addresses, which costs page tables and no bytes.  What is too much of
 * the last one stays where it is; what is missing grows from the last one.
 *
 * To the kernel the pieces stay mappings of their own, which cannot be moved together.  So an area
 * of several pieces is freed as several areas, and is copied when it has to grow (vmap_resize.c).
 * Mappings are scarce, so an area has MAX_PIECES at most, and one where there are many areas.
 *
 * Locks: vmap.lock for the tree and the lists.  While pages are moved, nobody else knows them.
 */
#include "mm/vmap_area.h"

#include "lib/bits.h"
#include "mm/limit.h"
#include "mm/reclaim.h"

#define MAX_PIECES	8u
#define MANY_AREAS	2048u

struct pieces {
	struct vmap_area *area[MAX_PIECES];
	unsigned nr;
	size_t size;			/* of all of them */
};

/* The smallest one that is enough, or the largest. */
static struct vmap_area *lazy_choose(size_t size)
{
	struct vmap_area *best = NULL;
	struct list_node *pos;

	list_for_each(pos, &vmap.lazy) {
		struct vmap_area *area = list_entry(pos, struct vmap_area, lru);

		if (area->clean)
			continue;
		if (!best || (area->size >= size ? best->size < size || area->size < best->size :
						   area->size > best->size))
			best = area;
	}
	return best;
}

static void collect(struct pieces *p, size_t size)
{
	struct vmap_area *area;

	p->nr = 0;
	p->size = 0;
	os_mutex_lock(&vmap.lock);
	while (p->nr < MAX_PIECES && p->size < size && vmap.stats.nr_busy < MANY_AREAS) {
		area = lazy_choose(size - p->size);
		if (!area)
			break;
		lazy_del(area);
		treap_remove(&vmap.tree, &area->node);
		p->area[p->nr++] = area;
		p->size += area->size;
	}
	os_mutex_unlock(&vmap.lock);
}

static void give_back(struct vmap_area *area)
{
	os_mutex_lock(&vmap.lock);
	treap_insert(&vmap.tree, &area->node);
	lazy_add(area);
	os_mutex_unlock(&vmap.lock);
}

/* Cuts off what the last piece has too much, in whole page tables. */
static void cut_last(struct pieces *p, size_t size)
{
	struct vmap_area *last = p->area[p->nr - 1], *rest;
	size_t keep;

	if (p->size <= size)
		return;
	keep = align_up(last->size - (p->size - size), HUGE_SIZE);
	if (keep + SPLIT_MIN > last->size || !(rest = area_get()))
		return;
	rest->node.key = last->node.key + keep;
	rest->size = last->size - keep;
	rest->reserved = last->reserved - keep;
	rest->clean = false;
	p->size -= rest->size;
	last->size = keep;
	last->reserved = keep;
	give_back(rest);
}

static bool move_piece(struct vmap_area *area, uintptr_t to, size_t size)
{
	if (os_move((void *)area->node.key, area->size, (void *)to, size))
		return false;
	os_unmap((void *)(area->node.key + area->size), area->reserved - area->size);
	area->node.key = to;
	area->size = size;
	area->reserved = size;
	return true;
}

/*
 * The kernel may have unmapped the target of the piece that could not be moved, and another mapping
 * may stand there by now.  The pieces hold nothing of value: they are given up.
 */
static void give_up(struct pieces *p, const struct vmap_area *new, uintptr_t behind)
{
	os_unmap((void *)behind, new->node.key + new->reserved - behind);
	while (p->nr)
		area_destroy(p->area[--p->nr]);
}

static bool move_all(struct pieces *p, const struct vmap_area *new)
{
	uintptr_t at = new->node.key, end = at + new->size;
	unsigned i;

	for (i = 0; i < p->nr; i++) {
		size_t size = i + 1 < p->nr ? p->area[i]->size : end - at;

		if (!move_piece(p->area[i], at, size)) {
			give_up(p, new, at + size);
			return false;
		}
		at += size;
	}
	return true;
}

/* The first piece speaks for all of them from now on. */
static struct vmap_area *link_pieces(struct pieces *p, const struct vmap_area *new)
{
	struct vmap_area *area = p->area[0];
	unsigned i;

	for (i = 0; i < p->nr; i++)
		p->area[i]->next = i + 1 < p->nr ? p->area[i + 1] : NULL;
	area->size = new->size;
	area->reserved = new->reserved;
	area->clean = false;
	tree_add_busy(area);
	return area;
}

static void give_all_back(struct pieces *p)
{
	while (p->nr)
		give_back(p->area[--p->nr]);
}

struct vmap_area *area_compose(size_t size, size_t *dirty)
{
	struct vmap_area new;
	struct pieces p;
	size_t more;

	collect(&p, size);
	if (!p.nr)
		return NULL;
	cut_last(&p, size);
	more = size > p.size ? (size - p.size) >> PAGE_SHIFT : 0;
	if (!limit_charge(more))
		goto give_back;
	if (!area_map(&new, max(size, p.size), PAGE_SIZE))
		goto uncharge;
	if (move_all(&p, &new)) {
		reclaim_note_fault(more);
		*dirty = min(p.size, size);
		return link_pieces(&p, &new);
	}
uncharge:
	limit_uncharge(more);
give_back:
	give_all_back(&p);
	return NULL;
}
