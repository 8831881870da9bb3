/* SPDX-License-Identifier: MIT */
/*
 * gap-aligned.c: aligned requests.
 *
 * Stands for: vectors for SIMD, cache-line aligned queues, page-aligned I/O buffers: alignments of
 * 32 to 4 096, sizes of a half to four times the alignment, 500 live, random replacement.
 * Allocators that allocate more and cut the block to shape pay in memory: look at both columns.
 * Does not show: alignments above a page.
 */
#include "worker/stamp.h"

enum { LIVE = 500, OPS = 60000 };

struct table {
	struct prng prng;
	void *p[LIVE];
	size_t size[LIVE];
};

static void replace(struct table *t, uint32_t i)
{
	size_t align = (size_t)32 << prng_below(&t->prng, 8);

	if (t->p[i])
		stamp_free(t->p[i], t->size[i]);
	t->size[i] = prng_range(&t->prng, align / 2, align * 4);
	if (posix_memalign(&t->p[i], align, t->size[i]))
		work_fail("posix_memalign(%zu, %zu)", align, t->size[i]);
	if ((uintptr_t)t->p[i] % align)
		work_fail("posix_memalign(%zu, %zu) returned %p", align, t->size[i], t->p[i]);
	stamp(t->p[i], t->size[i]);
}

static void aligned_setup(struct run *run)
{
	struct table *t = work_map(sizeof(*t));

	prng_seed(&t->prng, run->seed);
	run->state = t;
}

static uint64_t aligned_slice(struct run *run)
{
	struct table *t = run->state;
	size_t n = work_count(run, OPS, 1000);

	for (size_t k = 0; k < n; k++)
		replace(t, prng_below(&t->prng, LIVE));
	return n;
}

const struct workload gap_aligned = {
	.name = "aligned", .family = "gap", .unit = "pair", .flags = W_QUICK, .slices = 9,
	.what = "posix_memalign of 32 … 4 096, 500 live",
	.setup = aligned_setup, .slice = aligned_slice,
};
