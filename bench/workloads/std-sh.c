/* SPDX-License-Identifier: MIT */
/*
 * std-sh.c: mixed sizes allocated in groups and freed half in order, half in reverse.
 *
 * Stands for: a program that works in passes, each with allocations of all small sizes, of which
 * some outlive a pass by one or two. sh6 frees in the thread that allocated; in sh8 every
 * thread's groups are freed by its neighbour.
 * Literature: the patterns of SmartHeap's sh6bench and sh8bench (MicroQuill, 1990s) as described
 * in the mimalloc-bench documentation.
 * Does not show: large objects, long lives.
 */
#include <stdatomic.h>

#include "worker/stamp.h"

enum { GROUP = 500, LIVE_GROUPS = 8, PASSES = 500, SIZES = 512 };

struct group {
	struct group *next;
	void *object[GROUP];
	uint16_t size[GROUP];
};

struct worker {
	_Atomic(struct group *) inbox;		/* sh8: a group for this thread to free */
	struct group *spare;			/* sh8: emptied groups of this thread */
	struct group store[LIVE_GROUPS];
	uint16_t sizes[SIZES];
};

static void draw_sizes(struct worker *w, uint64_t seed)
{
	struct prng r;

	prng_seed(&r, seed);
	for (int i = 0; i < SIZES; i++)	/* small ones are the most frequent */
		w->sizes[i] = (uint16_t)(8 + prng_below(&r, 1 + prng_below(&r, 992)));
}

static void allocate(struct worker *w, struct group *g, size_t pass)
{
	for (uint32_t i = 0; i < GROUP; i++) {
		g->size[i] = w->sizes[(pass * 7 + i) % SIZES];
		g->object[i] = stamp_malloc(g->size[i]);
	}
}

static void release(struct group *g)
{
	for (int i = 0; i < GROUP; i += 2)
		stamp_free(g->object[i], g->size[i]);
	for (int i = GROUP - 1; i > 0; i -= 2)
		stamp_free(g->object[i], g->size[i]);
}

static void sh6_thread(struct run *run, unsigned thread, void *arg)
{
	struct worker *w = (struct worker *)arg + thread;
	size_t n = work_count(run, PASSES, LIVE_GROUPS);

	for (size_t pass = 0; pass < n + LIVE_GROUPS; pass++) {
		struct group *g = &w->store[pass % LIVE_GROUPS];

		if (pass >= LIVE_GROUPS)
			release(g);
		if (pass < n)
			allocate(w, g, pass);
	}
}

static struct group *spare_pop(struct worker *w)
{
	struct group *g = w->spare;

	if (!g)
		return work_map(sizeof(*g));
	w->spare = g->next;
	return g;
}

static void finish(struct worker *w, struct group *g)
{
	if (!g)
		return;
	release(g);
	g->next = w->spare;
	w->spare = g;
}

/* The group of this pass goes to the neighbour; one that the neighbour left comes back. */
static void sh8_thread(struct run *run, unsigned thread, void *arg)
{
	struct worker *all = arg, *w = &all[thread], *next = &all[(thread + 1) % run->threads];
	size_t n = work_count(run, PASSES, LIVE_GROUPS);

	for (size_t pass = 0; pass < n; pass++) {
		struct group *g = spare_pop(w);

		allocate(w, g, pass);
		finish(w, atomic_exchange(&next->inbox, g));
		finish(w, atomic_exchange(&w->inbox, NULL));
	}
}

static void sh_setup(struct run *run)
{
	struct worker *w = work_map(run->threads * sizeof(*w));

	for (unsigned t = 0; t < run->threads; t++)
		draw_sizes(&w[t], run->seed + t);
	run->state = w;
}

static uint64_t operations(const struct run *run)
{
	return (uint64_t)run->threads * work_count(run, PASSES, LIVE_GROUPS) * GROUP;
}

static uint64_t sh6_slice(struct run *run)
{
	work_parallel(run, run->threads, sh6_thread, run->state);
	return operations(run);
}

static uint64_t sh8_slice(struct run *run)
{
	struct worker *w = run->state;

	work_parallel(run, run->threads, sh8_thread, w);
	for (unsigned t = 0; t < run->threads; t++)
		finish(&w[t], atomic_exchange(&w[t].inbox, NULL));
	return operations(run);
}

const struct workload std_sh6 = {
	.name = "sh6", .family = "standard", .unit = "pair", .flags = W_THREADS, .slices = 3,
	.what = "groups of mixed sizes, freed some passes later",
	.setup = sh_setup, .slice = sh6_slice,
};

const struct workload std_sh8 = {
	.name = "sh8", .family = "standard", .unit = "pair", .flags = W_THREADS, .slices = 3,
	.what = "groups of mixed sizes, freed by the neighbour thread",
	.setup = sh_setup, .slice = sh8_slice,
};
