/* SPDX-License-Identifier: MIT */
/*
 * The slow halves of allocation and free: what happens when the loaded magazine is empty or full.
 *
 * Each thread has two magazines a class, loaded and previous (Bonwick 2001, section 3.1: with
 * two, a program that allocates and frees one object at the border of a magazine does not go to
 * the depot each time).  In order of preference:
 *
 *	empty	previous has rounds: swap | a full one from the depot | fill from slabs
 *	full	previous is empty: swap   | leave the full one in the depot, take an empty one
 *
 * Magazines start small and double each time the depot had to be asked, so that a thread that
 * allocates little holds little.
 *
 * Invariants: magazines on the way (loaded excepted) have rounds set; previous, if there is one,
 * is either full, empty, or partly filled by a slab.
 *
 * Locks: none here.  The loaded magazine belongs to its thread; previous is exchanged atomically.
 */
#include "lib/bits.h"
#include "lib/bug.h"
#include "magazine/thread.h"

/* Read-only nothing: its end is aligned (full) and the slot below is NULL (empty). */
void *const no_magazine[MAGAZINE_SIZE / sizeof(void *)] __attribute__((aligned(MAGAZINE_SIZE)));

#define TIMES_5(x)	x, x, x, x, x
#define TIMES_25(x)	TIMES_5(x), TIMES_5(x), TIMES_5(x), TIMES_5(x), TIMES_5(x)

static_assert(NR_MAP_VALUES == 50, "as many initialisers as tops");

__thread struct thread_tls thread_tls __attribute__((tls_model("initial-exec"))) = {
	.top = { TIMES_25(NO_TOP), TIMES_25(NO_TOP) },
	.state = THREAD_NEW,
};

static struct kmem_cache magazine_cache;
static size_t thread_bytes;		/* option magazine_bytes */

#define MANY_THREADS	16
#define DEPOT_BYTES	(32u << 10)

static unsigned clamp_rounds(size_t rounds)
{
	return (unsigned)min(max(rounds, (size_t)2), (size_t)MAX_ROUNDS);
}

/* A magazine holds up to a 32nd of what a thread may have: threads rarely use all classes. */
void magazine_setup(struct kmem_cache *s)
{
	s->max_rounds = (uint16_t)clamp_rounds(thread_bytes / 32 / s->size);
	s->depot.min_max_full = max(DEPOT_BYTES / (s->max_rounds * s->size), 1u);
	s->depot.max_full = s->depot.min_max_full;
}

void magazine_init(size_t bytes)
{
	thread_bytes = bytes;
	cache_init(&magazine_cache, "magazine", MAGAZINE_SIZE, MAGAZINE_SIZE, 0);
	magazine_cache.internal = true;
}

struct magazine *magazine_new(void)
{
	void *mag;

	if (!slab_alloc(&magazine_cache, &mag, 1))
		return NULL;
	((struct magazine *)mag)->rounds = 0;
	return mag;
}

void magazine_delete(struct magazine *mag)
{
	void *object = mag;

	slab_free(&magazine_cache, &object, 1);
}

/*
 * Loading and unloading.  @top is the place of the thread that knows its loaded magazine.
 */

static void load(void ***top, struct magazine *mag)
{
	*top = magazine_bottom(mag) + mag->rounds;
}

/*
 * The loaded magazine with its rounds counted; NULL if there is none.  The thread has none from
 * here on: a signal handler that allocates must not find one whose rounds are counted already.
 */
struct magazine *magazine_unload(void ***top)
{
	void **old = *top;
	struct magazine *mag;

	if (old == NO_TOP)
		return NULL;
	WRITE_ONCE(*top, NO_TOP);
	mag = magazine_of_top(old);
	mag->rounds = (uint16_t)(old - magazine_bottom(mag));
	return mag;
}

/* acq_rel: pairs with the exchange in thread_steal_idle; the rounds travel with the pointer */
static struct magazine *take_previous(struct thread_class *tc)
{
	return atomic_exchange_explicit(&tc->previous, NULL, memory_order_acq_rel);
}

static void set_previous(struct thread_class *tc, struct magazine *mag)
{
	WRITE_ONCE(mag->stamp, READ_ONCE(trim_epochs));
	atomic_store_explicit(&tc->previous, mag, memory_order_release);
}

/*
 * What an idle thread has loaded cannot be taken from it, so the more threads there are, the less
 * each one gets: from MANY_THREADS on, half as much for twice as many.
 */
static unsigned most_rounds(const struct kmem_cache *s)
{
	unsigned crowd = ilog2(ATOMIC_READ(nr_threads) / MANY_THREADS | 1);

	return max((unsigned)s->max_rounds >> crowd, min((unsigned)s->max_rounds, MIN_ROUNDS));
}

static __slow void do_grow_capacity(struct thread_class *tc, const struct kmem_cache *s)
{
	unsigned next = max(tc->capacity * 2u + 1, MIN_ROUNDS);

	tc->capacity = (uint16_t)max(min(next, most_rounds(s)), (unsigned)tc->capacity);
}

static inline void grow_capacity(struct thread_class *tc, const struct kmem_cache *s)
{
	if (unlikely(tc->capacity < s->max_rounds))
		do_grow_capacity(tc, s);
}

/*
 * Allocation.
 */

static struct magazine *fill(struct kmem_cache *s, struct magazine *mag, unsigned capacity)
{
	void **bottom;
	unsigned got;

	magazine_set_capacity(mag, capacity);
	bottom = magazine_bottom(mag);
	got = slab_refill(s, bottom, capacity);
	if (got && got < capacity)
		__builtin_memmove(bottom, bottom + (capacity - got), got * sizeof(void *));
	mag->rounds = (uint16_t)got;
	return mag;
}

void *magazine_alloc_one(struct kmem_cache *s)
{
	void *object;

	return slab_alloc(s, &object, 1) ? object : NULL;
}

/* No rounds at hand and none in the depot. */
static __slow void *alloc_from_slabs(struct kmem_cache *s, void ***top, struct thread_class *tc,
			      struct magazine *loaded)
{
	struct magazine *mag = loaded;

	if (!mag)
		mag = depot_get_empty(s);
	if (!mag)
		mag = magazine_new();
	if (!mag)
		return magazine_alloc_one(s);
	grow_capacity(tc, s);
	load(top, fill(s, mag, tc->capacity));
	return magazine_pop(top);
}

void *magazine_alloc(struct kmem_cache *s, void ***top, struct thread_class *tc)
{
	struct magazine *loaded, *previous, *full;
	void *object = magazine_pop(top);

	if (object)
		return object;
	loaded = magazine_unload(top);
	previous = take_previous(tc);
	full = previous && previous->rounds ? previous : depot_get_full(s, previous);
	if (!full)
		return alloc_from_slabs(s, top, tc, loaded);
	if (loaded)
		set_previous(tc, loaded);
	if (full != previous)
		grow_capacity(tc, s);
	load(top, full);
	return magazine_pop(top);
}

/*
 * Free.
 */

void magazine_free_one(struct kmem_cache *s, void *object)
{
	slab_free(s, &object, 1);
}

/* An empty magazine for the full one, which becomes previous; NULL if there is no memory. */
static struct magazine *replace_full(struct kmem_cache *s, struct thread_class *tc,
				     struct magazine *previous)
{
	struct magazine *mag = depot_put_full(s, previous);

	if (!mag)
		mag = magazine_new();
	grow_capacity(tc, s);
	if (mag)
		magazine_set_capacity(mag, tc->capacity);
	return mag;
}

static void free_to_next(struct kmem_cache *s, void ***top, struct thread_class *tc, void *object)
{
	struct magazine *loaded = magazine_unload(top), *previous = take_previous(tc), *mag;

	if (previous && !previous->rounds)
		mag = previous;
	else
		mag = replace_full(s, tc, previous);
	if (unlikely(!mag)) {
		if (loaded)
			load(top, loaded);
		magazine_free_one(s, object);
		return;
	}
	if (loaded)
		set_previous(tc, loaded);
	load(top, mag);
	magazine_push(top, object, 0);
}

void magazine_free(struct kmem_cache *s, void ***top, struct thread_class *tc, void *object)
{
	if (unlikely((*top)[-1] == object)) {
		slab_report(object);
		return;
	}
	if (!magazine_push(top, object, 0))
		free_to_next(s, top, tc, object);
}
