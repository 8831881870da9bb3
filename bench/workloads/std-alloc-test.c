/* SPDX-License-Identifier: MIT */
/*
 * std-alloc-test.c: random lifetimes over a large table of slots.
 *
 * Stands for: an object store: a random slot is emptied if it is full and filled if it is empty,
 * so that lifetimes are geometric; slots are picked from a skewed distribution (some objects are
 * replaced all the time, most rarely), sizes from a power law.
 * Literature: node-dot-cpp's alloc-test (Ignatchenko 2018, description); Costa & Matias on
 * lifetimes.
 * Does not show: phases.
 */
#include "worker/stamp.h"

enum { SLOTS = 1 << 16, OPS = 400000 };

struct table {
	void *object[SLOTS];
	uint32_t size[SLOTS];
};

static uint32_t skewed_slot(struct prng *r)
{
	uint64_t x = prng_next(r);
	uint32_t bits = (uint32_t)(x & 15) + 1;	/* 1 … 16 low bits: small numbers often */

	return (uint32_t)(x >> 32) & ((1u << bits) - 1);
}

static void flip(struct table *t, uint32_t i, struct prng *r)
{
	if (t->object[i]) {
		stamp_free(t->object[i], t->size[i]);
		t->object[i] = NULL;
		return;
	}
	t->size[i] = (uint32_t)prng_size_log(r, 4, 4 + prng_below(r, 9) + 1);
	t->object[i] = stamp_malloc(t->size[i]);
}

static void lifetimes_thread(struct run *run, unsigned thread, void *arg)
{
	struct table *t = (struct table *)arg + thread;
	size_t n = work_count(run, OPS, 5000);
	struct prng r;

	prng_seed(&r, run->seed + thread);
	for (size_t k = 0; k < n; k++)
		flip(t, skewed_slot(&r), &r);
	for (int i = 0; i < SLOTS; i++)
		if (t->object[i])
			flip(t, (uint32_t)i, &r);
}

static void lifetimes_setup(struct run *run)
{
	run->state = work_map(run->threads * sizeof(struct table));
}

static uint64_t lifetimes_slice(struct run *run)
{
	work_parallel(run, run->threads, lifetimes_thread, run->state);
	return (uint64_t)run->threads * work_count(run, OPS, 5000) / 2;
}

const struct workload std_alloc_test = {
	.name = "alloc-test", .family = "standard", .unit = "pair", .flags = W_THREADS,
	.slices = 5, .what = "random lifetimes and power-law sizes in a table of slots",
	.setup = lifetimes_setup, .slice = lifetimes_slice,
};
