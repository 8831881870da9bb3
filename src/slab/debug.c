/* SPDX-License-Identifier: MIT */
/*
 * Debugging of caches: what surrounds an object, and what happens when it is allocated and freed.
 *
 *	left red zone | object | right red zone | free pointer | tracks | requested size | padding
 *
 * The slab's bitmap says which objects are free, as always; the free pointers chain them once
 * more, in order of address, encoded, and are only there to be checked: whoever writes
 * through a dangling pointer or past an object tends to hit them.  Whatever is found wrong is
 * reported in SLUB's words, mended, and the program goes on.
 *
 * Locks: debug_lock, one for all, taken again by its holder (constructing and releasing slabs
 * happens inside of it or not); before all slab locks.  Unlike other locks it is held while
 * reports are written: this is a mode for finding errors.
 *
 * References: Linux Documentation/mm/slub.rst, mm/slub.c.
 */
#include "slab/debug_impl.h"

#include <pthread.h>

#include "lib/bitmap.h"
#include "lib/bits.h"
#include "lib/bug.h"

static struct os_mutex debug_mutex = OS_MUTEX(RANK_CACHES);
static _Atomic uintptr_t debug_owner;	/* pthread_self() of the holder, or 0 */
static unsigned debug_depth;
const void *debug_frame;

void slab_debug_lock(void)
{
	uintptr_t self = (uintptr_t)pthread_self();

	if (atomic_load_explicit(&debug_owner, memory_order_relaxed) != self) {
		os_mutex_lock(&debug_mutex);
		atomic_store_explicit(&debug_owner, self, memory_order_relaxed);
	}
	debug_depth++;
}

void slab_debug_unlock(void)
{
	if (--debug_depth)
		return;
	atomic_store_explicit(&debug_owner, 0, memory_order_relaxed);
	os_mutex_unlock(&debug_mutex);
}

/*
 * Layout.
 */

size_t slab_debug_layout(slab_flags_t flags, size_t size, size_t align, struct slab_layout *layout)
{
	size_t total = align_up(size, WORD);

	layout->left = 0;
	/* At least a word of red zone behind the object. */
	if (flags & SLAB_RED_ZONE && total == size)
		total += WORD;
	layout->offset = (uint32_t)total;
	total += WORD;
	if (flags & SLAB_STORE_USER)
		total += NR_TRACKS * sizeof(struct track);
	if ((flags & (SLAB_KMALLOC | SLAB_STORE_USER)) == (SLAB_KMALLOC | SLAB_STORE_USER))
		total += sizeof(unsigned long);
	if (flags & SLAB_RED_ZONE) {
		layout->left = (uint32_t)align_up(WORD, align);
		total += layout->left + WORD;
	}
	return align_up(total, align);
}

/*
 * Free pointers: mixed with their own address, so that plain data is not taken for one.
 */

static uintptr_t mix(const struct kmem_cache *s, uintptr_t value, uintptr_t place)
{
	return value ^ (uintptr_t)s ^ __builtin_bswap64(place);
}

void *debug_get_next(const struct kmem_cache *s, const void *object)
{
	uintptr_t place = (uintptr_t)object + s->offset;

	return (void *)mix(s, *(uintptr_t *)place, place);
}

void debug_set_next(const struct kmem_cache *s, void *object, void *next)
{
	uintptr_t place = (uintptr_t)object + s->offset;

	*(uintptr_t *)place = mix(s, (uintptr_t)next, place);
}

/* The nearest free object behind or before number @i, or NULL. */
static void *next_free(struct page *slab, unsigned i)
{
	while (++i < slab->cache->objects)
		if (bitmap_test(slab_bitmap(slab), i))
			return object_at(slab, i);
	return NULL;
}

static void *previous_free(struct page *slab, unsigned i)
{
	while (i--)
		if (bitmap_test(slab_bitmap(slab), i))
			return object_at(slab, i);
	return NULL;
}

void *debug_first_free(struct page *slab)
{
	return bitmap_test(slab_bitmap(slab), 0) ? object_at(slab, 0) : next_free(slab, 0);
}

static unsigned number_of(const struct page *slab, const void *object)
{
	return slab_object_index(slab, (uintptr_t)object);
}

static void chain_in(struct page *slab, void *object)
{
	unsigned i = number_of(slab, object);
	void *before = previous_free(slab, i);

	debug_set_next(slab->cache, object, next_free(slab, i));
	if (before)
		debug_set_next(slab->cache, before, object);
}

/* Slabs hand out their first free object, but one may have been freed before it meanwhile. */
static void chain_out(struct page *slab, void *object)
{
	void *before = previous_free(slab, number_of(slab, object));

	if (before)
		debug_set_next(slab->cache, before, next_free(slab, number_of(slab, object)));
}

/*
 * Filling.
 */

static void fill(struct kmem_cache *s, unsigned char *object, unsigned char red)
{
	if (s->flags & SLAB_RED_ZONE) {
		__builtin_memset(object - s->left, red, s->left);
		__builtin_memset(object + s->object_size, red, inuse_end(s) - s->object_size);
	}
	if (poisons_objects(s)) {
		__builtin_memset(object, POISON_FREE, s->object_size - 1);
		object[s->object_size - 1] = POISON_END;
	}
}

static void take_track(const struct kmem_cache *s, struct track *track, const void *frame,
		       bool may_look)
{
	if (s->flags & SLAB_STORE_USER)
		debug_take_track(track, frame, may_look);
}

static void set_track(const struct kmem_cache *s, void *object, enum track_kind kind,
		      const struct track *track)
{
	if (s->flags & SLAB_STORE_USER)
		tracks_of(s, object)[kind] = *track;
}

/* Of a kmalloc cache: the object ends where the request did. */
static void set_request(struct kmem_cache *s, unsigned char *object, size_t size)
{
	if (!keeps_request(s))
		return;
	*request_of(s, object) = size;
	if (s->flags & SLAB_RED_ZONE)
		__builtin_memset(object + size, SLUB_RED_ACTIVE, s->object_size - size);
}

void slab_debug_construct(struct kmem_cache *s, struct page *slab)
{
	unsigned i;

	__builtin_memset((void *)page_to_addr(slab), POISON_INUSE, PAGE_SIZE << s->order);
	for (i = 0; i < s->objects; i++) {
		fill(s, object_at(slab, i), SLUB_RED_INACTIVE);
		if (s->flags & SLAB_STORE_USER)
			__builtin_memset(tracks_of(s, object_at(slab, i)), 0,
					 NR_TRACKS * sizeof(struct track));
		debug_set_next(s, object_at(slab, i),
			       i + 1 < s->objects ? object_at(slab, i + 1) : NULL);
	}
	set_debug_inuse(slab, 0);
	slab_debug_lock();
	list_add_tail(debug_node(slab), &s->debug_slabs);
	slab_debug_unlock();
}

void slab_debug_release(struct kmem_cache *s, struct page *slab)
{
	(void)s;
	slab_debug_lock();
	list_del(debug_node(slab));
	slab_debug_unlock();
	__builtin_memset(slab->spare, 0, sizeof(slab->spare));
	slab->private = NULL;
}

/*
 * Allocation and free.
 */

static struct page *slab_at(const void *ptr)
{
	struct region *r = region_of((uintptr_t)ptr);

	return r ? slab_of(r, (uintptr_t)ptr) : NULL;
}

static void lock_for(const void *frame)
{
	slab_debug_lock();
	debug_frame = frame;
}

static void unlock_for(void)
{
	debug_frame = NULL;
	slab_debug_unlock();
}

#define MAY_WAIT	SIZE_MAX	/* in place of how many pages must stay free */

static bool take_slot(struct kmem_cache *s, void **slot, size_t keep)
{
	return keep == MAY_WAIT ? slab_alloc(s, slot, 1) : slab_alloc_nowait(s, slot, keep);
}

/* An object that was written to while it was free stays out of use. */
static void *take_sound(struct kmem_cache *s, size_t keep)
{
	void *slot, *object;

	while (take_slot(s, &slot, keep)) {
		struct page *slab = slab_at(slot);

		object = (char *)slot + s->left;
		chain_out(slab, object);
		set_debug_inuse(slab, debug_inuse(slab) + 1);
		if (!(s->flags & SLAB_CONSISTENCY_CHECKS) ||
		    debug_check_object(slab, object, SLUB_RED_INACTIVE))
			return object;
		debug_fix(s, "Object at %p not used", object);
	}
	return NULL;
}

static void *alloc(struct kmem_cache *s, const void *frame, size_t keep)
{
	struct track track;
	unsigned char *object;

	take_track(s, &track, frame, keep == MAY_WAIT);
	lock_for(frame);
	object = take_sound(s, keep);
	if (object) {
		fill(s, object, SLUB_RED_ACTIVE);
		set_track(s, object, TRACK_ALLOC, &track);
		if (keeps_request(s))
			*request_of(s, object) = s->object_size;
		if (s->flags & SLAB_TRACE)
			debug_trace(slab_at(object), object, true);
	}
	unlock_for();
	return object;
}

void *slab_debug_alloc(struct kmem_cache *s, const void *frame)
{
	return alloc(s, frame, MAY_WAIT);
}

void *slab_debug_alloc_nowait(struct kmem_cache *s, const void *frame, size_t keep)
{
	return alloc(s, frame, keep);
}

void slab_debug_set_request(struct kmem_cache *s, void *object, size_t size)
{
	slab_debug_lock();
	set_request(s, object, size);
	slab_debug_unlock();
}

size_t slab_debug_request(struct kmem_cache *s, const void *object)
{
	return keeps_request(s) ? *request_of(s, object) : s->object_size;
}

bool debug_is_object(struct page *slab, const void *ptr)
{
	unsigned i = number_of(slab, ptr);

	return i < slab->cache->objects && object_at(slab, i) == ptr;
}

static bool is_live(struct page *slab, const void *ptr)
{
	bool live;

	slab_debug_lock();
	live = debug_is_object(slab, ptr) && !bitmap_test(slab_bitmap(slab), number_of(slab, ptr));
	slab_debug_unlock();
	return live;
}

/* The bitmap is right; the chain is made anew if it is not. */
static void mend_chain(struct page *slab)
{
	struct kmem_cache *s = slab->cache;
	unsigned i;

	for (i = 0; i < s->objects; i++)
		if (bitmap_test(slab_bitmap(slab), i))
			debug_set_next(s, object_at(slab, i), next_free(slab, i));
	set_debug_inuse(slab, s->objects - bitmap_count_range(slab_bitmap(slab), 0, s->objects));
}

static void check_slab(struct page *slab)
{
	debug_check_tail(slab);
	if (!debug_check_chain(slab)) {
		mend_chain(slab);
		debug_fix(slab->cache, "Free objects chained again");
	}
}

/* May @object be freed?  If not, that has been said. */
static bool free_checks(struct page *slab, void *object)
{
	struct kmem_cache *s = slab->cache;

	if (s->flags & SLAB_CONSISTENCY_CHECKS)
		check_slab(slab);
	if (!debug_is_object(slab, object)) {
		debug_slab_error(slab, "Invalid object pointer %p", object);
		return false;
	}
	if (bitmap_test(slab_bitmap(slab), number_of(slab, object))) {
		debug_object_error(slab, object, "Object already free");
		return false;
	}
	return !(s->flags & SLAB_CONSISTENCY_CHECKS) ||
	       debug_check_object(slab, object, SLUB_RED_ACTIVE);
}

static void free_locked(struct page *slab, void *object, const struct track *track)
{
	struct kmem_cache *s = slab->cache;
	void *slot = (char *)object - s->left;

	if (!free_checks(slab, object)) {
		debug_fix(s, "Object at %p not freed", object);
		return;
	}
	set_track(s, object, TRACK_FREE, track);
	if (s->flags & SLAB_TRACE)
		debug_trace(slab, object, false);
	fill(s, object, SLUB_RED_INACTIVE);
	chain_in(slab, object);
	set_debug_inuse(slab, debug_inuse(slab) - 1);
	slab_free(s, &slot, 1);
}

void slab_debug_free(struct kmem_cache *s, void *object, const void *frame)
{
	struct page *slab = slab_at(object);
	struct track track;

	take_track(s, &track, frame, true);
	if (s->hooks && s->hooks->verify && is_live(slab, object))
		s->hooks->verify(s, object);
	lock_for(frame);
	free_locked(slab, object, &track);
	unlock_for();
}
