/* SPDX-License-Identifier: MIT */
/*
 * std-glibc.c: the two benchmarks by which glibc measures its own malloc.
 *
 * glibc-simple stands for short-lived structures: 25, 100, 400 and 1 600 blocks of one size are
 * allocated and then freed in the same order. glibc-thread: each thread holds 1 000 slots and
 * replaces random ones by sizes whose frequency falls with the size (inverse square).
 * Literature: glibc's benchtests (bench-malloc-simple, bench-malloc-thread; descriptions, own
 * code).
 * Does not show: frees by other threads; the sets fit the caches.
 */
#include "worker/stamp.h"

enum { MAX_BLOCKS = 1600, SIMPLE = 60, SLOTS = 1000, OPS = 300000, SIZES = 4096 };

static const uint32_t counts[] = { 25, 100, 400, MAX_BLOCKS };
static const uint32_t block_sizes[] = { 16, 64, 256, 1024, 4096 };

enum { N_COUNTS = sizeof(counts) / sizeof(counts[0]),
       N_BLOCK_SIZES = sizeof(block_sizes) / sizeof(block_sizes[0]) };

static void simple_setup(struct run *run)
{
	run->state = work_map(MAX_BLOCKS * sizeof(void *));
}

static uint64_t simple_round(void **block, uint32_t n, uint32_t size)
{
	for (uint32_t i = 0; i < n; i++)
		block[i] = stamp_malloc(size);
	for (uint32_t i = 0; i < n; i++)
		stamp_free(block[i], size);
	return n;
}

static uint64_t simple_slice(struct run *run)
{
	size_t n = work_count(run, SIMPLE, 2);
	uint64_t ops = 0;

	for (size_t k = 0; k < n; k++)
		for (int c = 0; c < N_COUNTS; c++)
			for (int s = 0; s < N_BLOCK_SIZES; s++)
				ops += simple_round(run->state, counts[c], block_sizes[s]);
	return ops;
}

const struct workload std_glibc_simple = {
	.name = "glibc-simple", .family = "standard", .unit = "pair", .slices = 5,
	.what = "25 … 1 600 blocks of one size, freed in order",
	.setup = simple_setup, .slice = simple_slice,
};

static void inverse_square_sizes(uint16_t *sizes, uint64_t seed)
{
	struct prng r;

	prng_seed(&r, seed);
	for (int i = 0; i < SIZES; i++) {
		double u = (double)(prng_next(&r) >> 11) / 9007199254740992.0;

		sizes[i] = (uint16_t)(4 / (1 - u * (1 - 4.0 / 32768)));
		if (sizes[i] < 4)
			sizes[i] = 4;
	}
}

static void slots_thread(struct run *run, unsigned thread, void *arg)
{
	const uint16_t *sizes = arg;
	void **slot = work_map(SLOTS * sizeof(*slot));
	uint16_t *size = work_map(SLOTS * sizeof(*size));
	size_t n = work_count(run, OPS, 5000);
	struct prng r;

	prng_seed(&r, run->seed + thread);
	for (size_t k = 0; k < n; k++) {
		uint32_t i = prng_below(&r, SLOTS);

		if (slot[i])
			stamp_free(slot[i], size[i]);
		size[i] = sizes[k % SIZES];
		slot[i] = stamp_malloc(size[i]);
	}
	for (int i = 0; i < SLOTS; i++)
		if (slot[i])
			stamp_free(slot[i], size[i]);
	work_unmap(slot, SLOTS * sizeof(*slot));
	work_unmap(size, SLOTS * sizeof(*size));
}

static void thread_setup(struct run *run)
{
	run->state = work_map(SIZES * sizeof(uint16_t));
	inverse_square_sizes(run->state, run->seed);
}

static uint64_t thread_slice(struct run *run)
{
	work_parallel(run, run->threads, slots_thread, run->state);
	return (uint64_t)run->threads * work_count(run, OPS, 5000);
}

const struct workload std_glibc_thread = {
	.name = "glibc-thread", .family = "standard", .unit = "pair", .flags = W_THREADS,
	.slices = 5, .what = "random replacement, frequency falls with the size",
	.setup = thread_setup, .slice = thread_slice,
};
