/* SPDX-License-Identifier: MIT */
/*
 * std-larson.c: a server whose threads come and go and leave their objects to the next.
 *
 * Stands for: a server with a thread for each connection: a thread replaces random objects of 10
 * to 1 000 bytes in its set for a while, then ends, and a new thread goes on with the set: most
 * objects are freed by another thread than the one that allocated them.
 * Literature: Larson & Krishnan, "Memory allocation for long-running server applications", 1998.
 * Does not show: sizes of a real program (they are uniform), idle phases.
 */
#include "worker/stamp.h"

enum { SETS_OBJECTS = 5000, OPS = 60000, GENERATIONS = 6, LO = 10, HI = 1000 };

struct set {
	struct prng prng;
	void *object[SETS_OBJECTS];
	uint16_t size[SETS_OBJECTS];
};

static void fill(struct set *s, uint64_t seed)
{
	prng_seed(&s->prng, seed);
	for (int i = 0; i < SETS_OBJECTS; i++) {
		s->size[i] = (uint16_t)prng_range(&s->prng, LO, HI);
		s->object[i] = stamp_malloc(s->size[i]);
	}
}

static void serve(struct run *run, unsigned thread, void *arg)
{
	struct set *s = (struct set *)arg + thread;
	size_t n = work_count(run, OPS, 2000);

	for (size_t k = 0; k < n; k++) {
		uint32_t i = prng_below(&s->prng, SETS_OBJECTS);

		stamp_free(s->object[i], s->size[i]);
		s->size[i] = (uint16_t)prng_range(&s->prng, LO, HI);
		s->object[i] = stamp_malloc(s->size[i]);
	}
}

static void larson_setup(struct run *run)
{
	struct set *sets = work_map(run->threads * sizeof(*sets));

	for (unsigned t = 0; t < run->threads; t++)
		fill(&sets[t], run->seed + t);
	run->state = sets;
}

static uint64_t larson_slice(struct run *run)
{
	for (int g = 0; g < GENERATIONS; g++)
		work_parallel(run, run->threads, serve, run->state);
	return (uint64_t)GENERATIONS * run->threads * work_count(run, OPS, 2000);
}

static void larson_drop(struct run *run)
{
	struct set *sets = run->state;

	for (unsigned t = 0; t < run->threads; t++)
		for (int i = 0; i < SETS_OBJECTS; i++)
			stamp_free(sets[t].object[i], sets[t].size[i]);
}

const struct workload std_larson = {
	.name = "larson", .family = "standard", .unit = "pair", .flags = W_THREADS, .slices = 3,
	.what = "server: threads end and leave their objects to successors",
	.setup = larson_setup, .slice = larson_slice, .teardown = larson_drop,
};
