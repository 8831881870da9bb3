/* SPDX-License-Identifier: MIT */
/*
 * Debug: do the tree of areas and the counters agree?
 *
 * Locks: vmap.lock.
 */
#include "mm/vmap_area.h"

static void tree_sum(const struct treap_node *node, struct vmap_stats *sum, unsigned *errors)
{
	const struct vmap_area *area;

	if (!node)
		return;
	area = container_of(node, struct vmap_area, node);
	tree_sum(node->left, sum, errors);
	*errors += area->size + (area->busy ? PAGE_SIZE : 0) > area->reserved ||
		   (area->node.key & (PAGE_SIZE - 1));
	sum->nr_busy += area->busy;
	sum->nr_lazy += !area->busy;
	sum->busy_pages += area->busy ? area->size >> PAGE_SHIFT : 0;
	sum->lazy_pages += area->busy ? 0 : area->size >> PAGE_SHIFT;
	tree_sum(node->right, sum, errors);
}

unsigned vmap_check(void)
{
	struct vmap_stats sum = { 0 };
	unsigned errors = 0;

	os_mutex_lock(&vmap.lock);
	tree_sum(vmap.tree, &sum, &errors);
	errors += __builtin_memcmp(&sum, &vmap.stats, sizeof(sum)) != 0;
	os_mutex_unlock(&vmap.lock);
	return errors;
}
