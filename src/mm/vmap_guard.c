/* SPDX-License-Identifier: MIT */
/*
 * Freed areas in hardened mode.
 *
 * They are inaccessible from the call that frees them until they are used again or unmapped, so
 * that a read or a write through an old pointer faults.  The QUARANTINE areas that were freed last
 * are not used again at all.  Small ones keep their pages, since zeroing them costs less than
 * faulting them in again; of larger ones the memory goes back at once.
 *
 * An area serves requests of just its size, so that the guard page stands right behind what was
 * requested, or such that leave an area of their own.
 *
 * mprotect fails where it would need one mapping more than the system allows: then a freed area
 * stays as it is, and a new one is refused, for which the caller has other places.
 *
 * Locks: vmap.lock, not while the system is called; an area is neither busy nor lazy meanwhile.
 *
 * References: hardened_malloc (quarantine of large allocations).
 */
#include "mm/vmap_area.h"

#include "mm/limit.h"
#include "mm/zone.h"

#define QUARANTINE	8u
#define KEEP_SIZE	((size_t)1 << 20)	/* larger areas do not keep their pages */
#define MAX_AREAS	16384u			/* a quarter of the mappings that Linux allows */

bool vmap_guarded;

bool guard_freed(struct vmap_area *area)
{
	size_t pages = area->size >> PAGE_SHIFT;

	os_protect((void *)area->node.key, area->size);
	if (area->clean)
		return true;
	if (area->size <= KEEP_SIZE || os_purge((void *)area->node.key, area->size))
		return false;
	limit_uncharge(pages);
	zone_count_purged(pages);
	return true;
}

bool guard_lift(struct vmap_area *area)
{
	return !os_commit((void *)area->node.key, area->size);
}

bool guard_allows(const struct vmap_area *area, unsigned newer, size_t size)
{
	return newer >= QUARANTINE && (area->size == size || area->size > size + SPLIT_MIN);
}

bool vmap_is_crowded(void)
{
	return READ_ONCE(vmap.stats.nr_busy) + READ_ONCE(vmap.stats.nr_lazy) >= MAX_AREAS;
}
