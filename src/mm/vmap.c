/* SPDX-License-Identifier: MIT */
/*
 * Large requests.
 *
 * An area is a reservation of its own: committed pages, then inaccessible ones, at least one, so
 * that running off the end faults.  A freed area is kept as it is for a while (lazy), since the
 * next large request is often of the same size, and mapping and faulting in 64 MiB again costs
 * more than everything else the program does with them; reclaim unmaps what nobody wants.
 *
 * A smaller request takes the start of a freed area; the rest becomes an area of its own.  A larger
 * one gets the pages of several (vmap_compose.c).
 *
 * Growing moves the pages to a larger reservation with mremap: a matter of page tables, not of
 * bytes, and of few of those, since new areas start at multiples of what one page table maps.
 *
 * Invariants: an area is in the tree by its start while it is busy or lazy; areas do not
 * overlap; start and reserved are multiples of PAGE_SIZE, size < reserved, but for lazy ones that
 * were not the last piece of their area: size == reserved.
 * An area leaves the tree before its address space is given up, since from then on another
 * thread's mapping may stand there.
 *
 * Locks: vmap.lock for the tree, the lists and the counters; no system call under it.
 * The bytes of a busy area belong to whoever allocated it.
 *
 * References: Linux mm/vmalloc.c (guard page, lazy purge).
 */
#include "mm/vmap_area.h"

#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

#define MAX_LAZY	64		/* areas; each one costs two entries of max_map_count */

struct vmap vmap = {
	.lock = OS_MUTEX(RANK_VMAP),
	.lazy = { &vmap.lazy, &vmap.lazy },
	.unused = { &vmap.unused, &vmap.unused },
};

/*
 * Descriptors come a page at a time and are never given back: they are few.
 */

static struct vmap_area *area_from_list(void)
{
	struct vmap_area *area = NULL;

	os_mutex_lock(&vmap.lock);
	if (!list_empty(&vmap.unused)) {
		area = list_first(&vmap.unused, struct vmap_area, lru);
		list_del(&area->lru);
	}
	os_mutex_unlock(&vmap.lock);
	return area;
}

void area_put(struct vmap_area *area)
{
	os_mutex_lock(&vmap.lock);
	list_add(&area->lru, &vmap.unused);
	os_mutex_unlock(&vmap.lock);
}

struct vmap_area *area_get(void)
{
	struct vmap_area *area = area_from_list();
	struct page *page;
	size_t i;

	if (area)
		return area;
	page = zone_alloc(1, 0);
	if (!page)
		return NULL;
	area = (struct vmap_area *)page_to_addr(page);
	for (i = 1; i < PAGE_SIZE / sizeof(*area); i++)
		area_put(&area[i]);
	return area;
}

/*
 * The tree and the counters.
 */

static struct vmap_area *area_find(uintptr_t addr)
{
	struct treap_node *node = treap_floor(vmap.tree, addr);
	struct vmap_area *area;

	if (!node)
		return NULL;
	area = container_of(node, struct vmap_area, node);
	return area->busy && addr - node->key < area->size ? area : NULL;
}

struct vmap_area *area_at(const void *addr)
{
	struct vmap_area *area = area_find((uintptr_t)addr);

	return area && area->node.key == (uintptr_t)addr ? area : NULL;
}

void count_busy(const struct vmap_area *area, int sign)
{
	ADD_ONCE(vmap.stats.nr_busy, (size_t)sign);
	ADD_ONCE(vmap.stats.busy_pages, (size_t)sign * (area->size >> PAGE_SHIFT));
}

static void count_lazy(const struct vmap_area *area, int sign)
{
	ADD_ONCE(vmap.stats.nr_lazy, (size_t)sign);
	ADD_ONCE(vmap.stats.lazy_pages, (size_t)sign * (area->size >> PAGE_SHIFT));
	vmap.lazy_low = min(vmap.lazy_low, vmap.stats.lazy_pages);
}

void lazy_add(struct vmap_area *area)
{
	area->busy = false;
	list_add(&area->lru, &vmap.lazy);
	count_lazy(area, 1);
}

void lazy_del(struct vmap_area *area)
{
	list_del(&area->lru);
	count_lazy(area, -1);
}

void tree_add_busy(struct vmap_area *area)
{
	area->busy = true;
	os_mutex_lock(&vmap.lock);
	treap_insert(&vmap.tree, &area->node);
	count_busy(area, 1);
	os_mutex_unlock(&vmap.lock);
}

/*
 * Allocation.
 */

static struct vmap_area *lazy_best(size_t size, size_t align)
{
	struct vmap_area *area, *best = NULL;
	struct list_node *pos;
	unsigned newer = 0;

	list_for_each(pos, &vmap.lazy) {
		area = list_entry(pos, struct vmap_area, lru);
		if (vmap_guarded && !guard_allows(area, newer++, size))
			continue;
		if (area->size >= size && area->reserved > size &&
		    !(area->node.key & (align - 1)) &&
		    (!best || area->size < best->size))
			best = area;
	}
	return best;
}

/* What was a piece of an area may have no guard page: *bare, its last page becomes one. */
static struct vmap_area *lazy_remove(size_t size, size_t align, bool *bare)
{
	struct vmap_area *area;

	os_mutex_lock(&vmap.lock);
	area = lazy_best(size, align);
	if (area) {
		lazy_del(area);
		area->busy = true;
		area->next = NULL;
		*bare = area->size == area->reserved;
		area->size -= *bare ? PAGE_SIZE : 0;
		count_busy(area, 1);
	}
	os_mutex_unlock(&vmap.lock);
	return area;
}

/* Gives the page at @addr back and makes it inaccessible. */
static bool make_guard(const struct vmap_area *area, char *addr)
{
	if (os_protect(addr, PAGE_SIZE))
		return false;
	if (!area->clean && !os_purge(addr, PAGE_SIZE))
		limit_uncharge(1);
	return true;
}

void busy_resize(struct vmap_area *area, size_t size, size_t reserved)
{
	count_busy(area, -1);
	area->size = size;
	area->reserved = reserved;
	count_busy(area, 1);
}

/*
 * The pages that a request leaves of a freed area stay for the next one: they become an area of
 * their own, behind a new guard page.
 */
static void split_off(struct vmap_area *area, size_t size)
{
	char *guard = (char *)area->node.key + size;
	struct vmap_area *rest = area_get();

	if (!rest)
		return;
	if (!make_guard(area, guard)) {
		area_put(rest);
		return;
	}
	rest->node.key = (uintptr_t)guard + PAGE_SIZE;
	rest->size = area->size - size - PAGE_SIZE;
	rest->reserved = area->reserved - size - PAGE_SIZE;
	rest->clean = area->clean;
	os_mutex_lock(&vmap.lock);
	busy_resize(area, size, size + PAGE_SIZE);
	treap_insert(&vmap.tree, &rest->node);
	lazy_add(rest);
	os_mutex_unlock(&vmap.lock);
}

/* Small remainders stay where they are. */
static struct vmap_area *lazy_take(size_t size, size_t align)
{
	bool bare;
	struct vmap_area *area = lazy_remove(size, align, &bare);

	if (!area)
		return NULL;
	if (bare)
		make_guard(area, (char *)area->node.key + area->size);
	if (area->size - size > SPLIT_MIN)
		split_off(area, size);
	if (!vmap_guarded || guard_lift(area))
		return area;
	vmap_free((void *)area->node.key);
	return NULL;
}

bool area_map(struct vmap_area *area, size_t size, size_t align)
{
	size_t reserved = size + PAGE_SIZE;
	void *start;

	if (!vmap_guarded || size >= HUGE_SIZE)
		align = max(align, HUGE_SIZE);
	start = reserved > size ? os_reserve(reserved, align) : NULL;
	if (!start)
		return false;
	area->node.key = (uintptr_t)start;
	area->size = size;
	area->reserved = reserved;
	area->clean = true;
	return true;
}

static struct vmap_area *area_create(size_t size, size_t align)
{
	struct vmap_area *area = area_get();

	if (!area)
		return NULL;
	area->next = NULL;
	if (!area_map(area, size, align))
		goto put;
	if (os_commit((void *)area->node.key, size))
		goto unmap;
	if (region_thp != REGION_THP_AUTO)
		os_hugepage((void *)area->node.key, size, region_thp == REGION_THP_ALWAYS);
	tree_add_busy(area);
	return area;
unmap:
	os_unmap((void *)area->node.key, area->reserved);
put:
	area_put(area);
	return NULL;
}

static struct vmap_area *area_charge_create(size_t size, size_t align)
{
	struct vmap_area *area;

	if (!limit_charge(size >> PAGE_SHIFT))
		return NULL;
	area = area_create(size, align);
	if (!area)
		limit_uncharge(size >> PAGE_SHIFT);
	return area;
}

struct vmap_area *area_fresh(size_t size, size_t align)
{
	struct vmap_area *area;

	reclaim_note_fault(size >> PAGE_SHIFT);
	area = area_charge_create(size, align);
	if (!area && (vmap_purge(SIZE_MAX) | zone_purge(SIZE_MAX, 0)))
		area = area_charge_create(size, align);
	return area;
}

void *vmap_alloc(size_t size, size_t align, size_t *dirty)
{
	struct vmap_area *area;

	size = align_up(size, PAGE_SIZE);
	*dirty = size;
	area = lazy_take(size, align);
	if (area && area->clean && !limit_charge(area->size >> PAGE_SHIFT)) {
		vmap_free((void *)area->node.key);
		return NULL;
	}
	if (!area && align <= HUGE_SIZE && !vmap_guarded)
		area = area_compose(size, dirty);
	if (!area)
		area = area_fresh(size, align);
	if (!area)
		return NULL;
	if (area->clean)
		*dirty = 0;
	area->clean = false;
	return (void *)area->node.key;
}

static bool find_locked(const void *addr, uintptr_t *start, size_t *size)
{
	struct vmap_area *area = area_find((uintptr_t)addr);

	if (area) {
		*start = area->node.key;
		*size = area->size;
	}
	os_mutex_unlock(&vmap.lock);
	return area != NULL;
}

bool vmap_find(const void *addr, uintptr_t *start, size_t *size)
{
	os_mutex_lock(&vmap.lock);
	return find_locked(addr, start, size);
}

bool vmap_find_nowait(const void *addr, uintptr_t *start, size_t *size)
{
	return os_mutex_spin(&vmap.lock) && find_locked(addr, start, size);
}

void vmap_fork_child(void)
{
	os_mutex_init(&vmap.lock, RANK_VMAP);
}

/*
 * Freeing and unmapping.
 */

/* The pieces of an area are areas of their own from now on: the kernel moves them one by one. */
static void lazy_add_pieces(struct vmap_area *area, bool clean)
{
	uintptr_t end = area->node.key + area->size, stop = area->node.key + area->reserved;
	struct vmap_area *next;

	for (; area; area = next) {
		next = area->next;
		area->size = (next ? next->node.key : end) - area->node.key;
		area->reserved = (next ? next->node.key : stop) - area->node.key;
		area->clean = clean;
		lazy_add(area);
		if (next)
			treap_insert(&vmap.tree, &next->node);
	}
}

bool vmap_free(void *addr)
{
	struct vmap_area *area;
	bool too_many = false, clean = false;

	os_mutex_lock(&vmap.lock);
	area = area_at(addr);
	if (area) {
		count_busy(area, -1);
		area->busy = false;
	}
	if (area && vmap_guarded) {
		os_mutex_unlock(&vmap.lock);	/* nobody finds it any more */
		clean = guard_freed(area);
		os_mutex_lock(&vmap.lock);
	}
	if (area) {
		lazy_add_pieces(area, clean);
		too_many = vmap.stats.nr_lazy > MAX_LAZY;
	}
	os_mutex_unlock(&vmap.lock);
	if (too_many)
		vmap_purge(1);
	return area != NULL;
}

/*
 * munmap can fail when it would have to split a mapping that the kernel had merged with a
 * neighbour and max_map_count is reached: the memory is given back all the same, and the area
 * stays for a later request.
 */
size_t area_destroy(struct vmap_area *area)
{
	size_t pages = area->size >> PAGE_SHIFT;
	bool was_clean = area->clean, clean;

	if (!os_unmap((void *)area->node.key, area->reserved)) {
		area_put(area);
	} else {
		clean = !os_purge((void *)area->node.key, area->size) || was_clean;
		area->clean = clean;
		os_mutex_lock(&vmap.lock);
		treap_insert(&vmap.tree, &area->node);
		lazy_add(area);
		os_mutex_unlock(&vmap.lock);
		if (was_clean || !clean)
			return 0;
	}
	if (!was_clean)
		limit_uncharge(pages);
	return pages;
}

static struct vmap_area *lazy_coldest(void)
{
	struct vmap_area *area = NULL;

	os_mutex_lock(&vmap.lock);
	if (!list_empty(&vmap.lazy)) {
		area = list_last(&vmap.lazy, struct vmap_area, lru);
		lazy_del(area);
		treap_remove(&vmap.tree, &area->node);
	}
	os_mutex_unlock(&vmap.lock);
	return area;
}

size_t vmap_purge(size_t pages)
{
	struct vmap_area *area;
	size_t now, total = 0;

	while (total < pages && (area = lazy_coldest())) {
		now = area_destroy(area);
		if (!now)
			break;
		total += now;
	}
	if (total)
		zone_count_purged(total);
	return total;
}

size_t vmap_lazy_low_reset(void)
{
	size_t low;

	os_mutex_lock(&vmap.lock);
	low = vmap.lazy_low;
	vmap.lazy_low = vmap.stats.lazy_pages;
	os_mutex_unlock(&vmap.lock);
	return low;
}

void vmap_stats(struct vmap_stats *stats)
{
	os_mutex_lock(&vmap.lock);
	*stats = vmap.stats;
	os_mutex_unlock(&vmap.lock);
}

size_t vmap_lazy_pages(void)
{
	return READ_ONCE(vmap.stats.lazy_pages);
}

size_t vmap_busy_pages(void)
{
	return READ_ONCE(vmap.stats.busy_pages);
}
