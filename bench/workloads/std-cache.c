/* SPDX-License-Identifier: MIT */
/*
 * std-cache.c: false sharing that an allocator causes.
 *
 * Stands for: threads that each work on a small object of their own. cache-scratch: the objects
 * were allocated next to each other by one thread, handed out, freed and replaced (passive false
 * sharing: an allocator should not keep giving threads pieces of one line). cache-thrash: each
 * thread allocates its own from the start (active false sharing).
 * Literature: Berger et al., "Hoard: a scalable memory allocator", ASPLOS 2000.
 * Does not show: anything on a machine whose processors share their caches.
 */
#include <string.h>

#include "worker/work.h"

enum { OBJECT = 8, ROUNDS = 400, WRITES = 2000 };

static void scribble(volatile unsigned char *p)
{
	for (int i = 0; i < WRITES; i++)
		p[i % OBJECT] = (unsigned char)(p[i % OBJECT] + 1);
}

static void check(const unsigned char *p)
{
	for (int i = 0; i < OBJECT; i++)
		if (p[i] != (unsigned char)(WRITES / OBJECT))
			work_fail("object %p changed by somebody else", (const void *)p);
}

static void cache_thread(struct run *run, unsigned thread, void *arg)
{
	void **given = arg;
	size_t n = work_count(run, ROUNDS, 20);

	free(given[thread]);
	given[thread] = NULL;
	for (size_t k = 0; k < n; k++) {
		unsigned char *p = malloc(OBJECT);

		if (!p)
			work_fail("malloc(%d)", OBJECT);
		memset(p, 0, OBJECT);
		scribble(p);
		check(p);
		free(p);
	}
}

static void cache_setup(struct run *run)
{
	run->state = work_map(run->threads * sizeof(void *));
}

static uint64_t cache_run(struct run *run)
{
	work_parallel(run, run->threads, cache_thread, run->state);
	return (uint64_t)run->threads * work_count(run, ROUNDS, 20);
}

static uint64_t scratch_slice(struct run *run)
{
	void **given = run->state;

	for (unsigned t = 0; t < run->threads; t++)
		given[t] = malloc(OBJECT);
	return cache_run(run);
}

const struct workload std_cache_scratch = {
	.name = "cache-scratch", .family = "standard", .unit = "object", .flags = W_THREADS,
	.slices = 5, .what = "objects of one thread handed to others: passive false sharing",
	.setup = cache_setup, .slice = scratch_slice,
};

const struct workload std_cache_thrash = {
	.name = "cache-thrash", .family = "standard", .unit = "object", .flags = W_THREADS,
	.slices = 5, .what = "each thread writes its own objects: active false sharing",
	.setup = cache_setup, .slice = cache_run,
};
