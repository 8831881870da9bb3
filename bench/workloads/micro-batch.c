/* SPDX-License-Identifier: MIT */
/*
 * micro-batch.c: allocate 10 000 objects, then free them all in one of three orders.
 *
 * Stands for: building and dropping a data structure: a parser's tree (last in, first out), a
 * queue or a request's list (first in, first out), a hash table (random).
 * Literature: the "batch" benchmarks of Bonwick & Adams, USENIX 2001, in whose terms this is the
 * traffic between magazines and depot.
 * Does not show: mixed sizes; survival of some objects, which is what scatters a heap.
 */
#include "worker/stamp.h"

enum { BATCH = 10000, REPEAT = 20, OBJECT = 32 };

struct batch {
	void *object[BATCH];
	uint32_t order[BATCH];
};

static void batch_setup(struct run *run)
{
	struct batch *b = work_map(sizeof(*b));

	for (uint32_t i = 0; i < BATCH; i++)
		b->order[i] = i;
	run->state = b;
}

static void lifo_setup(struct run *run)
{
	struct batch *b;

	batch_setup(run);
	b = run->state;
	for (uint32_t i = 0; i < BATCH; i++)
		b->order[i] = BATCH - 1 - i;
}

static void random_setup(struct run *run)
{
	struct batch *b;
	struct prng r;

	batch_setup(run);
	b = run->state;
	prng_seed(&r, run->seed);
	prng_shuffle(&r, b->order, BATCH);
}

static uint64_t batch_slice(struct run *run)
{
	struct batch *b = run->state;
	size_t n = work_count(run, REPEAT, 1);

	for (size_t k = 0; k < n; k++) {
		for (uint32_t i = 0; i < BATCH; i++)
			b->object[i] = stamp_malloc(OBJECT);
		for (uint32_t i = 0; i < BATCH; i++)
			stamp_free(b->object[b->order[i]], OBJECT);
	}
	return n * BATCH;
}

const struct workload micro_batch_lifo = {
	.name = "batch-lifo", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "10 000 objects of 32 bytes, freed last in, first out",
	.setup = lifo_setup, .slice = batch_slice,
};

const struct workload micro_batch_fifo = {
	.name = "batch-fifo", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "10 000 objects of 32 bytes, freed first in, first out",
	.setup = batch_setup, .slice = batch_slice,
};

const struct workload micro_batch_random = {
	.name = "batch-random", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "10 000 objects of 32 bytes, freed in random order",
	.setup = random_setup, .slice = batch_slice,
};
