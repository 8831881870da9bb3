/* SPDX-License-Identifier: MIT */
/*
 * micro-large.c: large blocks.
 *
 * Stands for: image buffers, I/O buffers, matrices: 64 KiB to 4 MiB (large) or 4 to 32 MiB (huge),
 * 20 live at a time, a random one replaced each time, a word of each page written.
 * Literature: malloc-large of mimalloc-bench. What decides is how many page faults and system
 * calls an allocator spends to have little memory: look at both columns.
 * Does not show: growth (see realloc-huge).
 */
#include "worker/stamp.h"

enum {
	LIVE = 20, PAGE = 4096, LARGE_OPS = 200, HUGE_OPS = 30,
	LARGE_LO = 16, LARGE_HI = 22, HUGE_LO = 22, HUGE_HI = 25,	/* powers of two */
};

struct blocks {
	struct prng prng;
	char *block[LIVE];
	size_t size[LIVE];
};

static void replace(struct blocks *b, uint32_t i, unsigned lo, unsigned hi)
{
	if (b->block[i])
		stamp_free(b->block[i], b->size[i]);
	b->size[i] = prng_size_log(&b->prng, lo, hi);
	b->block[i] = stamp_malloc(b->size[i]);
	for (size_t at = PAGE; at + 8 < b->size[i]; at += PAGE)
		b->block[i][at] = 1;
}

static void blocks_setup(struct run *run, unsigned lo, unsigned hi)
{
	struct blocks *b = work_map(sizeof(*b));

	prng_seed(&b->prng, run->seed);
	for (uint32_t i = 0; i < LIVE; i++)
		replace(b, i, lo, hi);
	run->state = b;
}

static void large_setup(struct run *run)
{
	blocks_setup(run, LARGE_LO, LARGE_HI);
}

static void huge_setup(struct run *run)
{
	blocks_setup(run, HUGE_LO, HUGE_HI);
}

static uint64_t large_slice(struct run *run)
{
	struct blocks *b = run->state;
	size_t n = work_count(run, LARGE_OPS, 50);

	for (size_t k = 0; k < n; k++)
		replace(b, prng_below(&b->prng, LIVE), LARGE_LO, LARGE_HI);
	return n;
}

static uint64_t huge_slice(struct run *run)
{
	struct blocks *b = run->state;
	size_t n = work_count(run, HUGE_OPS, 10);

	for (size_t k = 0; k < n; k++)
		replace(b, prng_below(&b->prng, LIVE), HUGE_LO, HUGE_HI);
	return n;
}

static void blocks_drop(struct run *run)
{
	struct blocks *b = run->state;

	for (int i = 0; i < LIVE; i++)
		if (b->block[i])
			stamp_free(b->block[i], b->size[i]);
}

const struct workload micro_large = {
	.name = "large", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "blocks of 64 KiB to 4 MiB, 20 live, every page written",
	.setup = large_setup, .slice = large_slice, .teardown = blocks_drop,
};

const struct workload micro_huge = {
	.name = "huge", .family = "micro", .unit = "pair", .slices = 9,
	.what = "blocks of 4 to 32 MiB, 20 live, every page written",
	.setup = huge_setup, .slice = huge_slice, .teardown = blocks_drop,
};
