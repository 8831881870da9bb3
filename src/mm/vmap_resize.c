/* SPDX-License-Identifier: MIT */
/*
 * Areas that grow and shrink without a byte being copied, but for those of several pieces, which
 * grow once by copying and have one piece from then on.
 *
 * The caller owns the area, so its size cannot change under our hands; its place in the tree can,
 * and changes under vmap.lock.  No system call is made under the lock.
 */
#include "mm/vmap_area.h"

#include "lib/bits.h"
#include "mm/limit.h"

/*
 * Pages behind the moved ones would be a second mapping for the kernel, which moves one at a
 * time: so the area grows by the move itself, and only by it.
 */
static bool grow_by_moving(struct vmap_area *area, size_t size)
{
	struct vmap_area old = *area, new;

	if (!area_map(&new, size, PAGE_SIZE))
		return false;
	os_mutex_lock(&vmap.lock);
	count_busy(area, -1);
	treap_remove(&vmap.tree, &area->node);
	os_mutex_unlock(&vmap.lock);
	if (os_move((void *)old.node.key, old.size, (void *)new.node.key, size)) {
		/*
		 * The kernel may have unmapped the target before it failed, and another
		 * mapping may stand there by now: only what is behind it is ours for sure.
		 */
		os_unmap((char *)new.node.key + size, new.reserved - size);
		tree_add_busy(area);
		return false;
	}
	os_unmap((char *)old.node.key + old.size, old.reserved - old.size);
	area->node.key = new.node.key;
	area->size = size;
	area->reserved = new.reserved;
	tree_add_busy(area);
	return true;
}

static struct vmap_area *grow_by_copying(struct vmap_area *area, size_t size)
{
	struct vmap_area *new = area_fresh(size, PAGE_SIZE);

	if (!new)
		return NULL;
	__builtin_memcpy((void *)new->node.key, (void *)area->node.key, area->size);
	new->clean = false;
	vmap_free((void *)area->node.key);
	return new;
}

static struct vmap_area *area_grow(struct vmap_area *area, size_t size)
{
	size_t more = (size - area->size) >> PAGE_SHIFT;

	if (area->next)
		return grow_by_copying(area, size);
	if (!limit_charge(more))
		return NULL;
	/* What is kept for reuse is of no use here: do not hold it beside the new pages. */
	if (vmap_lazy_pages())
		vmap_purge(more);
	if (grow_by_moving(area, size))
		return area;
	limit_uncharge(more);
	return NULL;
}

/* What has grown will grow again: an eighth more, so that many small steps are few moves. */
static struct vmap_area *area_grow_amply(struct vmap_area *area, size_t size)
{
	struct vmap_area *new = area_grow(area, align_up(size + size / 8, PAGE_SIZE));

	return new ? new : area_grow(area, size);
}

/* Pieces that are given back are no pieces any more. */
static void drop_pieces(struct vmap_area *area, uintptr_t end)
{
	struct vmap_area *piece, *next;

	while (area->next && area->next->node.key < end)
		area = area->next;
	piece = area->next;
	area->next = NULL;
	for (; piece; piece = next) {
		next = piece->next;
		area_put(piece);
	}
}

/* What is cut off is given back and becomes part of the guard. */
static void area_shrink(struct vmap_area *area, size_t size)
{
	char *end = (char *)area->node.key + size;
	size_t less = area->size - size;

	if (os_purge(end, less))
		return;
	limit_uncharge(less >> PAGE_SHIFT);
	os_protect(end, less);
	drop_pieces(area, (uintptr_t)end);
	os_mutex_lock(&vmap.lock);
	busy_resize(area, size, area->reserved);
	os_mutex_unlock(&vmap.lock);
}

void *vmap_resize(void *addr, size_t size)
{
	struct vmap_area *area;

	size = align_up(size, PAGE_SIZE);
	os_mutex_lock(&vmap.lock);
	area = area_at(addr);
	os_mutex_unlock(&vmap.lock);
	if (area && size > area->size)
		area = area_grow_amply(area, size);
	if (!area)
		return NULL;
	if (size < area->size - area->size / 4)
		area_shrink(area, size);
	return (void *)area->node.key;
}
