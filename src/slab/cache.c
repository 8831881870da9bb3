/* SPDX-License-Identifier: MIT */
/*
 * The geometry of caches and the list of all of them.
 *
 * Slabs are larger for larger objects, so that each holds a few of them, but no larger than that,
 * because a slab goes back only when its last object is free.  What is left over at the end costs
 * address space only: a page of a slab takes no memory before an object on it is used.
 *
 * Every cache has an id, the smallest that was free, by which threads find their magazines for it.
 *
 * Locks: caches_lock guards the table and the pins.  A cache that is being looked at by
 * cache_for_each is pinned; cache_fini takes it off the table and waits until nobody does.
 */
#include "lib/bits.h"
#include "lib/bug.h"
#include "slab/slab.h"

struct kmem_cache kmalloc_caches[NR_KMALLOC_CLASSES + 1];

static struct os_mutex caches_lock = OS_MUTEX(RANK_CACHES);
static struct kmem_cache *caches[MAX_CACHES];
static unsigned nr_ids;			/* no id from here on is in use */

unsigned slab_order(size_t size)
{
	unsigned order;

	if (size <= 128)
		return 2;
	if (size <= 1024)
		return 3;
	for (order = 4; order < MAX_SLAB_ORDER && (PAGE_SIZE << order) / size < 5; order++)
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
	s->parked = NULL;
}

/* False if there are MAX_CACHES already. */
static bool cache_list(struct kmem_cache *s)
{
	unsigned id = 0;

	os_mutex_lock(&caches_lock);
	while (id < nr_ids && caches[id])
		id++;
	if (id < MAX_CACHES) {
		s->id = id;
		s->slot = UINT32_MAX;
		WRITE_ONCE(caches[id], s);
		nr_ids = max(nr_ids, id + 1);
	}
	os_mutex_unlock(&caches_lock);
	return id < MAX_CACHES;
}

bool cache_init(struct kmem_cache *s, const char *name, size_t size, size_t align,
		uint8_t map_value)
{
	s->name = name;
	s->flags = 0;
	s->offset = 0;
	s->left = 0;
	s->keeps_contents = false;
	s->zeroed = false;
	s->scatter = 0;
	s->internal = false;
	list_init(&s->debug_slabs);
	s->hooks = NULL;
	s->object_size = (uint32_t)size;
	s->align = (uint16_t)align;
	s->size = (uint32_t)align_up(size, align);
	s->order = (uint8_t)slab_order(s->size);
	s->objects = (uint16_t)min((PAGE_SIZE << s->order) / s->size, (size_t)MAX_SLAB_OBJECTS);
	s->reciprocal = ((UINT64_C(1) << RECIPROCAL_SHIFT) + s->size - 1) / s->size;
	s->fullness_factor = (NR_FULLNESS << 16) / s->objects;
	s->map_value = map_value ? map_value : (uint8_t)MAP_OTHER(s->order);
	s->pins = 0;
	s->colours = 1;
	s->colour_unit = 0;
	s->colour_next = 0;
	cache_init_lists(s);
	return cache_list(s);
}

/*
 * A stride of many powers of two puts the first fields of all objects into few sets of the
 * processor's cache; shifting every slab a little spreads them.  A page is a round of all sets.
 */
void cache_set_colours(struct kmem_cache *s)
{
	size_t unit = max((size_t)s->align, (size_t)CACHE_LINE);
	size_t left = (PAGE_SIZE << s->order) - (size_t)s->objects * s->size;

	if (is_power_of_2(s->size))
		return;
	s->colour_unit = (uint16_t)unit;
	s->colours = (uint16_t)(min(left, PAGE_SIZE - unit) / unit + 1);
}

uint32_t cache_next_colour(struct kmem_cache *s)
{
	if (s->colours == 1)
		return 0;
	return atomic_fetch_add_explicit(&s->colour_next, 1, memory_order_relaxed) % s->colours *
	       s->colour_unit;
}

void cache_fini(struct kmem_cache *s)
{
	unsigned i;

	os_mutex_lock(&caches_lock);
	WRITE_ONCE(caches[s->id], NULL);
	os_mutex_unlock(&caches_lock);
	/* acquire: pairs with the release in cache_for_each, whose looking is over */
	for (i = 0; atomic_load_explicit(&s->pins, memory_order_acquire); i++)
		os_yield_cpu(i);
}

/*
 * cache_for_each may be called outside of the gate, so another thread may have been at it: it had
 * changed nothing but pins.
 */
void cache_fork_child(void)
{
	unsigned id;

	os_mutex_init(&caches_lock, RANK_CACHES);
	for (id = 0; id < nr_ids; id++)
		if (caches[id])
			atomic_store_explicit(&caches[id]->pins, 0, memory_order_relaxed);
}

struct kmem_cache *cache_of_id(unsigned id)
{
	return id < MAX_CACHES ? READ_ONCE(caches[id]) : NULL;
}

static struct kmem_cache *pin_from(unsigned id)
{
	struct kmem_cache *s = NULL;

	os_mutex_lock(&caches_lock);
	while (id < nr_ids && !s)
		s = caches[id++];
	if (s)
		atomic_fetch_add_explicit(&s->pins, 1, memory_order_relaxed);
	os_mutex_unlock(&caches_lock);
	return s;
}

void cache_for_each(void (*fn)(struct kmem_cache *s, void *arg), void *arg)
{
	struct kmem_cache *s;
	unsigned id;

	for (id = 0; (s = pin_from(id)); ) {
		id = s->id + 1;
		fn(s, arg);
		atomic_fetch_sub_explicit(&s->pins, 1, memory_order_release);
	}
}
