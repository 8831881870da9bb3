/* SPDX-License-Identifier: MIT */
/*
 * micro-pair.c: allocate, touch, free, again and again.
 *
 * Stands for: the temporary object of a function call, the most frequent pattern of all.
 * Literature: the inner loop of every allocator paper since Grunwald & Zorn 1993; glibc's
 * bench-malloc-simple.
 * Does not show: anything that depends on more than one live object: cache misses, refills,
 * fragmentation. It is the price of the two fast paths and nothing else.
 */
#include "worker/stamp.h"

enum { PAIRS = 400000, OBJECT = 32, MIXED = 256 };

static uint64_t pair_slice(struct run *run)
{
	size_t n = work_count(run, PAIRS, 1000);

	for (size_t i = 0; i < n; i++) {
		uint32_t *p = malloc(OBJECT);

		*p = (uint32_t)i;
		if (*p != (uint32_t)i)
			work_fail("object changed while live");
		free(p);
	}
	return n;
}

const struct workload micro_pair = {
	.name = "pair", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 21,
	.what = "malloc and free of one 32-byte object",
	.slice = pair_slice,
};

/* Sizes are drawn beforehand: the generator must not be what is measured. */
static void mixed_setup(struct run *run)
{
	uint16_t *sizes = work_map(MIXED * sizeof(*sizes));
	struct prng r;

	prng_seed(&r, run->seed);
	for (int i = 0; i < MIXED; i++)
		sizes[i] = (uint16_t)prng_size_log(&r, 3, 11);
	run->state = sizes;
}

static uint64_t mixed_slice(struct run *run)
{
	const uint16_t *sizes = run->state;
	size_t n = work_count(run, PAIRS, 1000);

	for (size_t i = 0; i < n; i++) {
		size_t size = sizes[i % MIXED];

		stamp_free(stamp_malloc(size), size);
	}
	return n;
}

const struct workload micro_pair_mixed = {
	.name = "pair-mixed", .family = "micro", .unit = "pair", .slices = 21,
	.what = "malloc and free of one object of 8 … 2047 bytes, sizes random",
	.setup = mixed_setup, .slice = mixed_slice,
};
