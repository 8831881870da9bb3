/* SPDX-License-Identifier: MIT */
/*
 * Slabs: 1 << order naturally aligned pages, cut into objects of one size.
 *
 * Nothing of the library's is inside a slab.  Which objects are free is a bitmap (1 = free) in the
 * struct pages of the slab's tail; the struct page of its head holds the counters.  So objects
 * need no header and no minimum size, a free object keeps its contents (constructed objects stay
 * constructed), taking many objects from a slab yields them in order of address, and an
 * object that is freed twice is found because its bit is already set.
 *
 * Slabs with free objects are on one of eight lists by how full they are.  Objects are taken from
 * the fullest ones, so that the emptiest can run empty and be given back.  One empty slab is
 * kept, so that a cache on the border does not make and free a slab again and again; of large
 * objects, of which a slab has few and other sizes could use its pages, none, unless they are
 * constructed.
 * "In use" here means: not in a slab's bitmap.  Objects in magazines are in use in this sense.
 * Pages of a slab without objects in use are given back when the slab is left alone (holes).
 * Objects begin at the slab's colour, 0 in most caches (cache_set_colours in cache.c).
 *
 * A signal handler may make a slab while its own thread holds the lock; then it can neither list
 * it nor wait.  It parks the slab, and whoever takes the lock next lists it (slab_lock).
 *
 * Invariants (slab_check.c): free_objects is the number of bits set; a slab is on partial[fullness]
 * iff 0 < free_objects < objects, on empty iff free_objects == objects; no bits below first_word or
 * from objects on; nr_free is the sum of free_objects.
 *
 * Locks: s->lock.  Pages are taken from and given to the zone, constructors run and reports are
 * written without it.
 *
 * References: Bonwick, "The Slab Allocator" (USENIX 1994); Linux mm/slub.c.
 */
#include "slab/scatter.h"

#include "lib/bitmap.h"
#include "lib/bug.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

/*
 * Making and releasing slabs.  Nobody else sees the slab, so no lock is needed.
 */

/*
 * The zone looks at struct pages that may be a slab's bitmap, and asks the slab map whether they
 * are: while there is a bitmap, the map must say so.  The fences pair with those of block_at in
 * mm/zone.c.
 */
static void slab_set_map(struct page *slab, unsigned order, uint8_t value)
{
	uintptr_t addr = page_to_addr(slab);
	uint8_t *map = slab_map_byte(page_region(slab), addr);

	atomic_thread_fence(memory_order_release);
	__builtin_memset(map, value, (size_t)1 << (order - MIN_SLAB_ORDER));
	atomic_thread_fence(memory_order_release);
}

static void slab_construct(struct kmem_cache *s, struct page *slab)
{
	char *object = (char *)slab_base(slab);
	unsigned i;

	if (s->hooks && s->hooks->construct) {
		s->hooks->construct(s, slab);
		return;
	}
	for (i = 0; i < s->objects && s->ctor; i++, object += s->size)
		s->ctor(object);
}

static struct page *slab_make(struct kmem_cache *s, struct page *slab)
{
	if (!slab)
		return NULL;
	if (s->zeroed)
		zone_zero(slab);
	WRITE_ONCE(slab->type, PAGE_SLAB);
	slab->order = s->order;
	slab->cache = s;
	slab->flags = PG_USED;
	slab->free_objects = s->objects;
	slab->first_word = 0;
	slab->colour = cache_next_colour(s);
	slab_set_map(slab, s->order, s->map_value);
	bitmap_fill(slab_bitmap(slab), s->objects);
	if (s->ctor || s->hooks)
		slab_construct(s, slab);
	return slab;
}

static struct page *slab_new(struct kmem_cache *s)
{
	if (s->hooks && s->hooks->get_pages)
		return slab_make(s, s->hooks->get_pages(s));
	return slab_make(s, zone_alloc(1u << s->order, s->order));
}

void slab_put_pages(struct page *slab)
{
	struct kmem_cache *s = slab->cache;

	__builtin_memset(slab_bitmap(slab), 0, BITMAP_WORDS(s->objects) * sizeof(uint64_t));
	slab->cache = NULL;
	slab_set_map(slab, s->order, 0);
	zone_free(slab, 1u << s->order);
}

static void slab_release(struct page *slab)
{
	const struct slab_hooks *hooks = slab->cache->hooks;

	if (hooks && hooks->release && !hooks->release(slab->cache, slab))
		return;
	slab_put_pages(slab);
}

static void slab_release_list(struct list_node *slabs)
{
	struct list_node *pos, *next;

	if (list_empty(slabs))
		return;
	list_for_each_safe(pos, next, slabs)
		slab_release(list_entry(pos, struct page, lru));
	reclaim_note_free();
}

/*
 * The lists.
 */

static unsigned fullness(const struct kmem_cache *s, unsigned free_objects)
{
	return free_objects * s->fullness_factor >> 16;
}

void slab_list(struct kmem_cache *s, struct page *slab)
{
	if (slab->flags & PG_ISOLATED)
		return;
	if (slab->free_objects == s->objects) {
		list_add(&slab->lru, &s->empty);
		ADD_ONCE(s->nr_empty, 1);
	} else if (slab->free_objects) {
		slab->fullness = (uint8_t)fullness(s, slab->free_objects);
		list_add(&slab->lru, &s->partial[slab->fullness]);
		s->nonempty |= 1u << slab->fullness;
		s->nr_partial++;
	}
}

void slab_unlist(struct kmem_cache *s, struct page *slab)
{
	if (!slab->free_objects || slab->flags & PG_ISOLATED)
		return;
	list_del(&slab->lru);
	if (slab->free_objects == s->objects) {
		SUB_ONCE(s->nr_empty, 1);
		return;
	}
	s->nr_partial--;
	if (list_empty(&s->partial[slab->fullness]))
		s->nonempty &= ~(1u << slab->fullness);
}

/* An object may have been taken from it before. */
static void add_slab_locked(struct kmem_cache *s, struct page *slab)
{
	ADD_ONCE(s->nr_slabs, 1);
	ADD_ONCE(s->nr_free, slab->free_objects);
	s->counts.alloc_slab++;
	s->counts.alloc_slowpath += (size_t)s->objects - slab->free_objects;
	slab_list(s, slab);
}

/* Off an empty slab, for release once the lock is open. */
static void remove_slab_locked(struct kmem_cache *s, struct page *slab, struct list_node *release)
{
	slab_unlist(s, slab);
	SUB_ONCE(s->nr_slabs, 1);
	SUB_ONCE(s->nr_free, s->objects);
	s->counts.free_slab++;
	list_add(&slab->lru, release);
}

/* What another one parked meanwhile stays parked behind it. */
static void park_slab(struct kmem_cache *s, struct page *slab)
{
	slab->next_parked = atomic_load_explicit(&s->parked, memory_order_relaxed);
	/* release: pairs with the acquire in adopt_parked */
	while (!atomic_compare_exchange_weak_explicit(&s->parked, &slab->next_parked, slab,
						      memory_order_release, memory_order_relaxed))
		;
}

/* Under s->lock. */
static __cold void adopt_parked(struct kmem_cache *s)
{
	struct page *slab, *next;

	/* acquire: pairs with the release in park_slab */
	slab = atomic_exchange_explicit(&s->parked, NULL, memory_order_acquire);
	for (; slab; slab = next) {
		next = slab->next_parked;
		add_slab_locked(s, slab);
	}
}

static inline void look_for_parked(struct kmem_cache *s)
{
	if (unlikely(ATOMIC_READ(s->parked)))
		adopt_parked(s);
}

void slab_lock(struct kmem_cache *s)
{
	os_mutex_lock(&s->lock);
	look_for_parked(s);
}

/* Neither sleeps nor waits for long. */
static bool lock_nowait(struct kmem_cache *s)
{
	if (!os_mutex_spin(&s->lock))
		return false;
	look_for_parked(s);
	return true;
}

static struct page *fullest_slab(struct kmem_cache *s)
{
	if (s->nonempty && unlikely(s->scatter) && scatter_below(s, 2))
		return list_last(&s->partial[lowest_bit(s->nonempty)], struct page, lru);
	if (s->nonempty)
		return list_first(&s->partial[lowest_bit(s->nonempty)], struct page, lru);
	if (!list_empty(&s->empty))
		return list_first(&s->empty, struct page, lru);
	return NULL;
}

/*
 * Allocation.
 */

/* The @n free objects with the lowest addresses, the lowest one at end[-1]. */
static void take_objects(struct kmem_cache *s, struct page *slab, void **end, unsigned n)
{
	uint64_t *map = slab_bitmap(slab);
	char *base = (char *)slab_base(slab);
	unsigned word = slab->first_word;

	slab->free_objects = (uint16_t)(slab->free_objects - n);
	slab->flags |= PG_USED;
	while (n) {
		uint64_t bits = map[word];

		for (; bits && n; n--, bits &= bits - 1) {
			unsigned i = word * BITS_PER_WORD + lowest_bit(bits);

			*--end = base + (size_t)i * s->size;
		}
		map[word] = bits;
		if (!bits)
			word++;
	}
	slab->first_word = (uint16_t)word;
}

static unsigned take_listed(struct kmem_cache *s, void **objs, unsigned n)
{
	unsigned left = n;
	struct page *slab;

	while (left && (slab = fullest_slab(s))) {
		unsigned now = min(left, (unsigned)slab->free_objects);

		slab_unlist(s, slab);
		(s->scatter ? scatter_take : take_objects)(s, slab, objs + left, now);
		slab_list(s, slab);
		left -= now;
	}
	SUB_ONCE(s->nr_free, n - left);
	return n - left;
}

static void add_slab(struct kmem_cache *s, struct page *slab)
{
	slab_lock(s);
	add_slab_locked(s, slab);
	os_mutex_unlock(&s->lock);
}

bool slab_grow(struct kmem_cache *s)
{
	struct page *slab = slab_new(s);

	if (slab)
		add_slab(s, slab);
	return slab != NULL;
}

static unsigned alloc_counted(struct kmem_cache *s, void **objs, unsigned n, size_t *count)
{
	unsigned got;

	do {
		slab_lock(s);
		got = take_listed(s, objs, n);
		*count += got;
		os_mutex_unlock(&s->lock);
	} while (!got && slab_grow(s));
	return got;
}

unsigned slab_alloc(struct kmem_cache *s, void **objs, unsigned n)
{
	return alloc_counted(s, objs, n, &s->counts.alloc_slowpath);
}

unsigned slab_refill(struct kmem_cache *s, void **objs, unsigned n)
{
	return alloc_counted(s, objs, n, &s->counts.sheaf_refill);
}

static unsigned try_listed(struct kmem_cache *s, void **object)
{
	unsigned got = 0;

	if (lock_nowait(s)) {
		got = take_listed(s, object, 1);
		s->counts.alloc_slowpath += got;
		os_mutex_unlock(&s->lock);
	}
	return got;
}

static void add_slab_nowait(struct kmem_cache *s, struct page *slab)
{
	if (!lock_nowait(s)) {
		park_slab(s, slab);
		return;
	}
	add_slab_locked(s, slab);
	os_mutex_unlock(&s->lock);
}

bool slab_alloc_nowait(struct kmem_cache *s, void **object, size_t keep)
{
	struct page *slab;

	if (try_listed(s, object))
		return true;
	if (s->hooks && s->hooks->get_pages)
		return false;
	slab = slab_make(s, zone_alloc_nowait(1u << s->order, s->order, keep));
	if (!slab)
		return false;
	take_objects(s, slab, object + 1, 1);
	add_slab_nowait(s, slab);
	return true;
}

/*
 * Freeing.
 */

struct page *slab_of(const struct region *r, uintptr_t addr)
{
	unsigned value = *slab_map_byte(r, addr), order;

	if (!value)
		return NULL;
	order = value <= NR_KMALLOC_CLASSES ? kmalloc_caches[value].order :
					      value - MAP_OTHER(MIN_SLAB_ORDER) + MIN_SLAB_ORDER;
	return region_page(r, align_down(addr, PAGE_SIZE << order));
}

/* The slab and the index of an object in use of this cache, or NULL. */
static __racy struct page *find_object(struct kmem_cache *s, uintptr_t addr, unsigned *index)
{
	uintptr_t start = align_down(addr, PAGE_SIZE << s->order);
	struct region *r = region_of(addr);
	struct page *slab;
	size_t offset;
	unsigned i;

	if (unlikely(!r || *slab_map_byte(r, addr) != s->map_value))
		return NULL;
	slab = region_page(r, start);
	offset = slab_offset(slab, start, addr);
	i = slab_index(s, offset);
	if (unlikely(slab->cache != s || i >= s->objects || (size_t)i * s->size != offset ||
		     slab_object_is_free(slab, i)))
		return NULL;
	*index = i;
	return slab;
}

bool slab_is_object_in_use(struct kmem_cache *s, const void *ptr)
{
	return find_object(s, (uintptr_t)ptr, &(unsigned){ 0 }) != NULL;
}

/* One more object of a listed or full slab is free: does it belong on another list? */
static void relist_slab(struct kmem_cache *s, struct page *slab)
{
	unsigned now = slab->free_objects + 1u;

	if (slab->free_objects && now != s->objects && fullness(s, now) == slab->fullness) {
		slab->free_objects++;
		return;
	}
	s->counts.free_add_partial += !slab->free_objects && now != s->objects;
	s->counts.free_remove_partial += slab->free_objects && now == s->objects;
	slab_unlist(s, slab);
	slab->free_objects++;
	slab_list(s, slab);
}

/* Without @release the slab stays, even if it is one empty slab too many. */
static bool free_object(struct kmem_cache *s, void *object, struct list_node *release)
{
	unsigned i;
	struct page *slab = find_object(s, (uintptr_t)object, &i);

	if (unlikely(!slab))
		return false;
	bitmap_set(slab_bitmap(slab), i);
	slab->flags |= PG_USED | PG_HOLES;
	slab->first_word = min(slab->first_word, (uint16_t)(i / BITS_PER_WORD));
	ADD_ONCE(s->nr_free, 1);
	relist_slab(s, slab);
	if (s->nr_empty > slab_keep_empty(s) && slab->free_objects == s->objects && release &&
	    !(slab->flags & PG_ISOLATED))
		remove_slab_locked(s, slab, release);
	return true;
}

static void free_objects(struct kmem_cache *s, void *const *objs, unsigned n, size_t *count,
			 bool report)
{
	struct list_node release = { &release, &release };
	unsigned i, nr_bad = 0;
	void *bad[4];

	slab_lock(s);
	for (i = 0; i < n; i++)
		if (unlikely(!free_object(s, objs[i], &release)) && nr_bad++ < ARRAY_SIZE(bad))
			bad[nr_bad - 1] = objs[i];
	*count += n - nr_bad;
	os_mutex_unlock(&s->lock);
	slab_release_list(&release);
	for (i = 0; i < min(nr_bad, (unsigned)ARRAY_SIZE(bad)) && report; i++)
		slab_report(bad[i]);
}

void slab_free(struct kmem_cache *s, void *const *objs, unsigned n)
{
	free_objects(s, objs, n, &s->counts.free_slowpath, true);
}

void slab_free_quiet(struct kmem_cache *s, void *const *objs, unsigned n)
{
	free_objects(s, objs, n, &s->counts.free_slowpath, false);
}

void slab_flush(struct kmem_cache *s, void *const *objs, unsigned n)
{
	free_objects(s, objs, n, &s->counts.sheaf_flush, true);
}

bool slab_free_nowait(struct kmem_cache *s, void *object)
{
	if (!lock_nowait(s))
		return false;
	s->counts.free_slowpath += free_object(s, object, NULL);
	os_mutex_unlock(&s->lock);
	return true;
}

size_t slab_shrink_to(struct kmem_cache *s, unsigned keep)
{
	struct list_node release = { &release, &release };
	size_t pages = 0;

	slab_lock(s);
	while (s->nr_empty > keep) {
		remove_slab_locked(s, list_last(&s->empty, struct page, lru), &release);
		pages += (size_t)1 << s->order;
	}
	os_mutex_unlock(&s->lock);
	slab_release_list(&release);
	return pages;
}
