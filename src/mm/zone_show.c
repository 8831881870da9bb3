/* SPDX-License-Identifier: MIT */
/*
 * The zone's free blocks, counted for reports.
 *
 * Locks: zone.lock.
 */
#include "mm/zone.h"

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
