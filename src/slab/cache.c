/* SPDX-License-Identifier: MIT */
/*
 * The geometry of caches and the list of all of them.
 *
 * Slabs are larger for larger objects, so that each holds at least eight of them and wastes at most
 * a sixteenth; they stay small for small objects, because a slab goes back only when
 * its last object is free.  Pages of a slab cost nothing before an object on them is used.
 *
 * Locks: caches_lock guards the list.  Entries are never removed while it is walked without the
 * lock: cache_for_each relies on caches staying (kmem_cache_destroy takes care of its own).
 */
#include "lib/bits.h"
#include "lib/bug.h"
#include "slab/slab.h"

struct kmem_cache kmalloc_caches[NR_KMALLOC_CLASSES + 1];

static struct os_mutex caches_lock = OS_MUTEX(RANK_CACHES);
static struct list_node caches = { &caches, &caches };

unsigned slab_order(size_t size)
{
	unsigned order;

	if (size <= 128)
		return 2;
	if (size <= 512)
		return 3;
	if (size <= 2048)
		return 4;
	if (size <= 8192)
		return 5;
	for (order = 6; order < MAX_SLAB_ORDER && (PAGE_SIZE << order) / size < 8; order++)
		;
	return order;
}

static void depot_init(struct depot *depot)
{
	os_mutex_init(&depot->lock, RANK_DEPOT);
	list_init(&depot->full);
	list_init(&depot->empty);
}

static void cache_init_lists(struct kmem_cache *s)
{
	unsigned i;

	depot_init(&s->depot);
	os_mutex_init(&s->lock, RANK_SLAB);
	for (i = 0; i < NR_FULLNESS; i++)
		list_init(&s->partial[i]);
	list_init(&s->empty);
}

void cache_init(struct kmem_cache *s, const char *name, size_t size, size_t align,
		uint8_t map_value)
{
	s->name = name;
	s->object_size = (uint32_t)size;
	s->align = (uint16_t)align;
	s->size = (uint32_t)align_up(size, align);
	s->order = (uint8_t)slab_order(s->size);
	s->objects = (uint16_t)min((PAGE_SIZE << s->order) / s->size, (size_t)MAX_SLAB_OBJECTS);
	s->reciprocal = ((UINT64_C(1) << RECIPROCAL_SHIFT) + s->size - 1) / s->size;
	s->fullness_factor = (NR_FULLNESS << 16) / s->objects;
	s->map_value = map_value ? map_value : (uint8_t)MAP_OTHER(s->order);
	cache_init_lists(s);
	os_mutex_lock(&caches_lock);
	list_add_tail(&s->caches, &caches);
	os_mutex_unlock(&caches_lock);
}

static struct kmem_cache *cache_next(struct list_node *pos)
{
	struct kmem_cache *s;

	os_mutex_lock(&caches_lock);
	s = pos->next == &caches ? NULL : list_entry(pos->next, struct kmem_cache, caches);
	os_mutex_unlock(&caches_lock);
	return s;
}

void cache_for_each(void (*fn)(struct kmem_cache *s, void *arg), void *arg)
{
	struct kmem_cache *s = cache_next(&caches);

	for (; s; s = cache_next(&s->caches))
		fn(s, arg);
}
