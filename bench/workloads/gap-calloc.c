/* SPDX-License-Identifier: MIT */
/*
 * gap-calloc.c: zeroed memory of mixed sizes.
 *
 * Stands for: tables and structures that start as zero. The sizes run from 16 bytes to 64 KiB;
 * 256 blocks are live, a random one is replaced each time, and every block is verified to be zero
 * and then made dirty, so that an allocator that skips clearing must know why it may.
 * Does not show: the benefit for blocks that are cleared but never touched (see large).
 */
#include <string.h>

#include "worker/stamp.h"

enum { LIVE = 256, OPS = 6000 };

struct table {
	struct prng prng;
	unsigned char *block[LIVE];
	size_t size[LIVE];
};

static void check_zero(const unsigned char *p, size_t n)
{
	if (p[0] || memcmp(p, p + 1, n - 1))
		work_fail("calloc(%zu) is not zero", n);
}

static void replace(struct table *t, uint32_t i)
{
	free(t->block[i]);
	t->size[i] = prng_size_log(&t->prng, 4, 16);
	t->block[i] = calloc(1, t->size[i]);
	if (!t->block[i])
		work_fail("calloc of %zu bytes", t->size[i]);
	check_zero(t->block[i], t->size[i]);
	memset(t->block[i], 0xa5, t->size[i]);
}

static void calloc_setup(struct run *run)
{
	struct table *t = work_map(sizeof(*t));

	prng_seed(&t->prng, run->seed);
	run->state = t;
}

static uint64_t calloc_slice(struct run *run)
{
	struct table *t = run->state;
	size_t n = work_count(run, OPS, 500);

	for (size_t k = 0; k < n; k++)
		replace(t, prng_below(&t->prng, LIVE));
	return n;
}

const struct workload gap_calloc = {
	.name = "calloc", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "calloc of 16 bytes to 64 KiB, verified and written",
	.setup = calloc_setup, .slice = calloc_slice,
};
