/* SPDX-License-Identifier: MIT */
/*
 * std-mstress.c: threads that allocate in bursts, keep some, pass some on, and die.
 *
 * Stands for: a service under changing load. In each round every thread allocates objects of
 * mixed sizes (a few of them large), keeps a random part until its end, and swaps others with a
 * shared table, from which any thread may take and free them; after a round all threads die.
 * Literature: Leijen, mimalloc's stress test, 2019 (described there; this is own code).
 * Does not show: steady state; with few rounds most of the time is memory that is used first.
 */
#include <stdatomic.h>

#include "worker/stamp.h"

enum { SHARED = 1000, KEPT = 4000, OPS = 25000, ROUNDS = 4 };

struct block {
	void *p;
	size_t size;
};

struct shared {
	_Atomic(uint64_t *) slot[SHARED];	/* an object; its size is in its second word */
	struct prng prng[];			/* one for each thread */
};

static size_t draw_size(struct prng *r)
{
	uint32_t x = prng_below(r, 1000);

	if (x < 2)
		return prng_size_log(r, 15, 18);
	return x < 30 ? prng_size_log(r, 10, 15) : prng_size_log(r, 4, 10);
}

/* Objects in the shared table carry their size, since who takes one does not know it. */
static void swap_shared(struct shared *s, struct prng *r)
{
	size_t size = draw_size(r);
	uint64_t *p = stamp_malloc(size < 32 ? 32 : size), *old;

	p[1] = size < 32 ? 32 : size;
	old = atomic_exchange(&s->slot[prng_below(r, SHARED)], p);
	if (old)
		stamp_free(old, old[1]);
}

static void keep(struct block *kept, struct prng *r)
{
	struct block *b = &kept[prng_below(r, KEPT)];

	if (b->p)
		stamp_free(b->p, b->size);
	b->size = draw_size(r);
	b->p = stamp_malloc(b->size);
}

static void stress_thread(struct run *run, unsigned thread, void *arg)
{
	struct shared *s = arg;
	struct prng *r = &s->prng[thread];
	struct block *kept = work_map(KEPT * sizeof(*kept));
	size_t n = work_count(run, OPS, 1000);

	for (size_t k = 0; k < n; k++) {
		if (k % 4 == 0)
			swap_shared(s, r);
		else
			keep(kept, r);
	}
	for (int i = 0; i < KEPT; i++)
		if (kept[i].p)
			stamp_free(kept[i].p, kept[i].size);
	work_unmap(kept, KEPT * sizeof(*kept));
}

static void mstress_setup(struct run *run)
{
	struct shared *s = work_map(sizeof(*s) + run->threads * sizeof(s->prng[0]));

	for (unsigned t = 0; t < run->threads; t++)
		prng_seed(&s->prng[t], run->seed + t);
	run->state = s;
}

static uint64_t mstress_slice(struct run *run)
{
	for (int k = 0; k < ROUNDS; k++)
		work_parallel(run, run->threads, stress_thread, run->state);
	return (uint64_t)ROUNDS * run->threads * work_count(run, OPS, 1000);
}

static void mstress_drop(struct run *run)
{
	struct shared *s = run->state;

	for (int i = 0; i < SHARED; i++) {
		uint64_t *p = atomic_exchange(&s->slot[i], NULL);

		if (p)
			stamp_free(p, p[1]);
	}
}

const struct workload std_mstress = {
	.name = "mstress", .family = "standard", .unit = "pair", .flags = W_THREADS, .slices = 3,
	.what = "bursts of mixed sizes, random retention, sharing, threads that die",
	.setup = mstress_setup, .slice = mstress_slice, .teardown = mstress_drop,
};
