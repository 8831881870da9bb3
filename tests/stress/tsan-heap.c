/* SPDX-License-Identifier: MIT */
/*
 * The engine driven by several threads at once, linked as libkmcore and so not the malloc of the
 * process. That lets ThreadSanitizer and AddressSanitizer, which bring a malloc of their own, look
 * at it: check-sanitizers.sh builds this program with them.
 *
 * All at the same time: threads that allocate, resize and free, half of it each other's blocks;
 * threads that live for a moment; reclaim, trimming and statistics; the gate as fork() uses it.
 * Then everything is free again, the walkers look at all structures, and what is resident is noted.
 *
 *   --hours N   goes on with rounds of that for so long; memory must not drift from round to round
 */
#include "stress.h"

#include "kmalloc/heap.h"
#include "mm/vmap.h"
#include "mm/zone.h"
#include "observe/stats.h"

#define NR_WORKERS	3
#define NR_OWN		64
#define NR_SHARED	256
#define NR_PASSED	1024

struct block {
	void *ptr;
	size_t size;
	uint64_t key;
};

/* A block left here belongs to whoever takes it. */
static _Atomic(struct block *) shared[NR_SHARED];

/* From the producer to the consumer. */
static _Atomic(struct block *) passed[NR_PASSED];

static double end;

static size_t some_size(struct rng *r)
{
	if (rng_below(r, 2000) == 0)
		return 5 * MIB + rng_below(r, MIB);
	return 1 + rng_size(r, rng_below(r, 16) ? 2 * KIB : 96 * KIB);
}

static void check(const struct block *b)
{
	MUST(stamp_holds(b->ptr, b->size, b->key), "a block of %zu bytes is damaged", b->size);
}

static struct block *block_new(struct rng *r)
{
	struct block *b = heap_alloc(sizeof(*b));

	MUST(b, "no memory");
	b->size = some_size(r);
	b->key = rng_next(r);
	b->ptr = rng_below(r, 8) ? heap_alloc(b->size) : heap_alloc_aligned(b->size, 256);
	MUST(b->ptr, "no memory");
	stamp(b->ptr, b->size, b->key);
	return b;
}

static void block_delete(struct block *b)
{
	if (!b)
		return;
	check(b);
	heap_free(b->ptr);
	heap_free(b);
}

static void block_resize(struct block *b, struct rng *r)
{
	size_t size = some_size(r), keep = size < b->size ? size : b->size;

	check(b);
	b->ptr = heap_realloc(b->ptr, size);
	MUST(b->ptr, "no memory");
	MUST(stamp_prefix_holds(b->ptr, keep, b->size, b->key), "realloc lost something");
	b->size = size;
	stamp(b->ptr, b->size, b->key);
}

static void step(struct block **own, struct rng *r)
{
	struct block **place = &own[rng_below(r, NR_OWN)];

	if (!*place)
		*place = block_new(r);
	switch (rng_below(r, 4)) {
	case 0:
		block_resize(*place, r);
		break;
	case 1:
		*place = atomic_exchange(&shared[rng_below(r, NR_SHARED)], *place);
		break;
	default:
		block_delete(*place);
		*place = NULL;
	}
}

static void steps(uint64_t salt, unsigned n)
{
	struct block *own[NR_OWN] = { NULL };
	struct rng r = rng_new(salt);

	for (unsigned i = 0; n ? i < n : now() < end; i++)
		step(own, &r);
	for (unsigned i = 0; i < NR_OWN; i++)
		block_delete(own[i]);
}

static void *worker(void *arg)
{
	steps((uintptr_t)arg, 0);
	return NULL;
}

static void *short_life(void *arg)
{
	steps((uintptr_t)arg, 200);
	return NULL;
}

static void *churner(void *arg)
{
	for (uintptr_t salt = 100; now() < end; salt++)
		pthread_join(thread_start(short_life, (void *)salt), NULL);
	return arg;
}

static void *reclaimer(void *arg)
{
	struct kmalloc_stats stats;

	for (unsigned i = 0; now() < end; i++) {
		if (gate_enter()) {
			trim_epoch();
			gate_leave();
		}
		stats_get(&stats);
		if (i % 16 == 0)
			heap_trim();
		nap(1);
	}
	return arg;
}

static void *producer(void *arg)
{
	struct rng r = rng_new(50);

	for (unsigned i = 0; now() < end; i++)
		block_delete(atomic_exchange(&passed[i % NR_PASSED], block_new(&r)));
	return arg;
}

static void *consumer(void *arg)
{
	for (unsigned i = 0; now() < end; i++)
		block_delete(atomic_exchange(&passed[i % NR_PASSED], NULL));
	return arg;
}

/* What fork() does to the gate, but for the child: a sanitizer would not live in there. */
static void *forker(void *arg)
{
	while (now() < end) {
		gate_fork_prepare();
		gate_fork_parent();
		nap(2);
	}
	return arg;
}

static void together(void)
{
	static void *(*const others[])(void *) = {
		churner, producer, consumer, reclaimer, forker,
	};
	pthread_t t[NR_WORKERS + ARRAY_SIZE(others)];
	uintptr_t i;

	end = deadline();
	for (i = 0; i < NR_WORKERS; i++)
		t[i] = thread_start(worker, (void *)i);
	for (; i < ARRAY_SIZE(t); i++)
		t[i] = thread_start(others[i - NR_WORKERS], NULL);
	while (i)
		pthread_join(t[--i], NULL);
	for (i = 0; i < NR_SHARED; i++)
		block_delete(atomic_exchange(&shared[i], NULL));
	for (i = 0; i < NR_PASSED; i++)
		block_delete(atomic_exchange(&passed[i], NULL));
}

/* -- After a round, when nobody is at work -- */

static void check_cache(struct kmem_cache *s, void *errors)
{
	*(unsigned *)errors += slab_check(s);
}

static bool in_order(void)
{
	struct kmalloc_stats stats;
	unsigned caches = 0, zone_errors, areas;

	heap_trim();
	stats_get(&stats);
	cache_for_each(check_cache, &caches);
	zone_errors = zone_check();
	areas = vmap_check();
	if (caches || zone_errors || areas || stats.live_objects)
		say(1, "# errors: %u in caches, %u in the zone, %u in areas; %llu objects are left\n",
		    caches, zone_errors, areas, (unsigned long long)stats.live_objects);
	return !caches && !zone_errors && !areas && !stats.live_objects;
}

#define SETTLED	5	/* rounds that may still raise what is resident */

struct drift {
	size_t first;		/* most that was resident after one of the first rounds */
	size_t most, last;
	unsigned rounds;
};

static void note_resident(struct drift *d)
{
	d->last = resident();
	if (d->rounds++ < SETTLED)
		d->first = d->last > d->first ? d->last : d->first;
	d->most = d->last > d->most ? d->last : d->most;
	say(1, "# round %u: %zu KiB resident\n", d->rounds, d->last / KIB);
}

static bool no_drift(const struct drift *d)
{
	return d->last <= d->first + d->first / 4 + 4 * MIB;
}

static double hours_wanted(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--hours") == 0)
			return strtod(argv[i + 1], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	struct drift drift = { 0 };
	double until;
	bool good;

	stress_options(argc, argv, "tsan-heap");
	until = now() + hours_wanted(argc, argv) * 3600;
	heap_init();
	do {
		together();
		good = in_order();
		note_resident(&drift);
		stress.seed++;
	} while (good && now() < until);
	ok(true, "threads that allocate, end, reclaim and fork");
	ok(good, "nothing is left, and the walkers find no error");
	ok(no_drift(&drift), "memory does not drift");
	return stress_end();
}
