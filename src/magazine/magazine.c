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
 * allocates little holds little.  Where there are several threads, the first EARLY_OBJECTS objects
 * of a class come from the slabs and go back to them one by one.
 *
 * Invariants: magazines on the way (loaded excepted) have top set; previous, if there is one,
 * is either full, empty, or partly filled by a slab.
 *
 * Locks: none here.  The loaded magazine belongs to its thread; previous is exchanged atomically.
 */
#include "lib/bits.h"
#include "lib/bug.h"
#include "magazine/exchange.h"

/* Read-only nothing: its end is aligned (full) and the slot below is NULL (empty). */
void *const no_magazine[MAGAZINE_SIZE / sizeof(void *)] __attribute__((aligned(MAGAZINE_SIZE)));

#define TIMES_5(x)	x, x, x, x, x
#define TIMES_25(x)	TIMES_5(x), TIMES_5(x), TIMES_5(x), TIMES_5(x), TIMES_5(x)

static_assert(NR_MAP_VALUES == 50, "as many initialisers as tops");

__thread struct thread_tls thread_tls __attribute__((tls_model("initial-exec"))) = {
	.top = { TIMES_25(NO_TOP), TIMES_25(NO_TOP) },
	.state = THREAD_NEW,
	.ticks = GATE_TICKS,
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

struct magazine *magazine_new(struct kmem_cache *s)
{
	void *mag;

	if (!slab_alloc(&magazine_cache, &mag, 1))
		return NULL;
	atomic_fetch_add_explicit(&s->depot.sheaf_alloc, 1, memory_order_relaxed);
	return mag;
}

void magazine_delete(struct kmem_cache *s, struct magazine *mag)
{
	void *object = mag;

	atomic_fetch_add_explicit(&s->depot.sheaf_free, 1, memory_order_relaxed);
	slab_free(&magazine_cache, &object, 1);
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

void magazine_grow_capacity(struct thread_class *tc, const struct kmem_cache *s)
{
	unsigned next = max(tc->capacity * 2u + 1, MIN_ROUNDS);

	tc->capacity = (uint16_t)max(min(next, most_rounds(s)), (unsigned)tc->capacity);
}

/*
 * A magazine takes a kilobyte, and its objects are at nobody else's disposal: of several threads,
 * one that has little to do with a class gets none for it.
 */
bool magazine_not_yet(struct thread_class *tc)
{
	return tc->early < EARLY_OBJECTS && ATOMIC_READ(nr_threads) > 1 && ++tc->early;
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
	magazine_set_rounds(mag, got);
	return mag;
}

void *magazine_alloc_one(struct kmem_cache *s)
{
	void *object;

	return slab_alloc(s, &object, 1) ? object : NULL;
}

/*
 * The loaded magazine only looked empty: it has rounds below a NULL that kmem_cache_free was given,
 * or ones that a signal handler has freed since.
 */
void *magazine_alloc_uncovered(struct kmem_cache *s, void ***top, struct thread_class *tc,
			       struct magazine *loaded)
{
	bool covered = !magazine_top(loaded)[-1];

	if (covered)
		magazine_take(loaded);
	load(top, loaded);
	if (covered)
		slab_report(NULL);
	return magazine_alloc(s, top, tc);
}

/* No rounds at hand and none in the depot. */
void *magazine_alloc_from_slabs(struct kmem_cache *s, void ***top, struct thread_class *tc,
				struct magazine *loaded)
{
	struct magazine *mag = loaded;

	if (!loaded && magazine_not_yet(tc))
		return magazine_alloc_one(s);
	if (!mag)
		mag = depot_get_empty(s);
	if (!mag)
		mag = magazine_new(s);
	if (!mag)
		return magazine_alloc_one(s);
	grow_capacity(tc, s);
	load(top, fill(s, mag, tc->capacity));
	return magazine_pop(top);
}

void *magazine_alloc(struct kmem_cache *s, void ***top, struct thread_class *tc)
{
	void *object = magazine_pop(top);

	return object ? object : magazine_refill(s, top, tc);
}

/*
 * Free.
 */

void magazine_free_one(struct kmem_cache *s, void *object)
{
	slab_free(s, &object, 1);
}

/* The loaded magazine is full, and there is no memory for another one. */
void magazine_keep_full(struct kmem_cache *s, void ***top, struct magazine *loaded, void *object)
{
	if (loaded)
		load(top, loaded);
	magazine_free_one(s, object);
}

void magazine_report_double(void *object)
{
	slab_report(object);
}

void magazine_free(struct kmem_cache *s, void ***top, struct thread_class *tc, void *object)
{
	if (unlikely((*top)[-1] == object))
		magazine_report_double(object);
	else if (!magazine_push(top, object, 0))
		magazine_empty_for(s, top, tc, object);
}
