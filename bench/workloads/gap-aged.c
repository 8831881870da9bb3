/* SPDX-License-Identifier: MIT */
/*
 * gap-aged.c: the same replacement loop on a fresh heap and on one with a past.
 *
 * Stands for: a server after a day. 30 thousand (fits the caches) or 1 million (does not) objects
 * are live; each operation frees a random one and allocates its successor. The aged twin first
 * goes through a churn of 16 … 1023-byte objects of which a random twentieth stays for good, so
 * that free memory lies scattered the way a long run leaves it.
 * Literature: Wilson et al. 1995 on the age of heaps; Parkinson (mimalloc-bench issue 190) names
 * it among what the usual benchmarks miss. Measured for this project: a depot of magazines that is
 * never sorted doubles the time of this loop without one line of it being slower.
 * Does not show: fragmentation in bytes (see frag-shift), threads.
 */
#include "worker/stamp.h"

enum {
	SMALL = 30000, LARGE = 1000000, OPS = 100000,
	CHURN_LIVE = 400000, CHURN_ROUNDS = 3, KEEP_ONE_IN = 20, SIZES = 1024,
};

struct heap {
	uint32_t n;
	uint16_t size[SIZES];
	struct prng prng;
	void **object;
};

static size_t size_of(const struct heap *h, uint32_t i)
{
	return h->size[i % SIZES];
}

/* How many objects are live is the point of the row: only tiny test runs have fewer. */
static uint32_t live_count(const struct run *run, uint32_t n)
{
	return run->scale < 0.1 ? (uint32_t)work_count(run, n, 5000) : n;
}

static void fill(struct run *run, uint32_t n)
{
	struct heap *h = work_map(sizeof(*h));

	h->n = live_count(run, n);
	h->object = work_map(h->n * sizeof(void *));
	prng_seed(&h->prng, run->seed);
	for (int i = 0; i < SIZES; i++)
		h->size[i] = (uint16_t)prng_range(&h->prng, 16, 128);
	for (uint32_t i = 0; i < h->n; i++) {
		h->object[i] = stamp_malloc(size_of(h, i));
		run->live += size_of(h, i);
	}
	run->state = h;
}

static void replace_some(void **object, uint32_t *size, uint32_t n, struct prng *r)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = prng_below(r, n);

		stamp_free(object[i], size[i]);
		size[i] = (uint32_t)prng_size_log(r, 4, 10);
		object[i] = stamp_malloc(size[i]);
	}
}

/* Frees in random order all but one in KEEP_ONE_IN, which are never freed. */
static void age(struct run *run)
{
	uint32_t n = live_count(run, CHURN_LIVE);
	void **object = work_map(n * sizeof(void *));
	uint32_t *size = work_map(n * sizeof(*size)), *order = work_map(n * sizeof(*order));
	struct prng r;

	prng_seed(&r, run->seed + 1);
	for (uint32_t i = 0; i < n; i++) {
		size[i] = (uint32_t)prng_size_log(&r, 4, 10);
		object[i] = stamp_malloc(size[i]);
		order[i] = i;
	}
	for (int k = 0; k < CHURN_ROUNDS; k++)
		replace_some(object, size, n, &r);
	prng_shuffle(&r, order, n);
	for (uint32_t i = 0; i < n; i++)
		if (i % KEEP_ONE_IN)
			stamp_free(object[order[i]], size[order[i]]);
	work_unmap(object, n * sizeof(void *));
	work_unmap(size, n * sizeof(*size));
	work_unmap(order, n * sizeof(*order));
}

static uint64_t replace_slice(struct run *run)
{
	struct heap *h = run->state;
	size_t n = work_count(run, OPS, 10000);

	for (size_t k = 0; k < n; k++) {
		uint32_t i = prng_below(&h->prng, h->n);

		stamp_free(h->object[i], size_of(h, i));
		h->object[i] = stamp_malloc(size_of(h, i));
	}
	return n;
}

static void drop(struct run *run)
{
	struct heap *h = run->state;

	for (uint32_t i = 0; i < h->n; i++)
		stamp_free(h->object[i], size_of(h, i));
}

static void small_fresh(struct run *run)
{
	fill(run, SMALL);
}

static void large_fresh(struct run *run)
{
	fill(run, LARGE);
}

static void small_aged(struct run *run)
{
	age(run);
	fill(run, SMALL);
}

static void large_aged(struct run *run)
{
	age(run);
	fill(run, LARGE);
}

const struct workload gap_live30k_fresh = {
	.name = "live30k-fresh", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "random replacement among 30 000 live objects, fresh heap",
	.setup = small_fresh, .slice = replace_slice, .teardown = drop,
};

const struct workload gap_live30k_aged = {
	.name = "live30k-aged", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 15,
	.what = "random replacement among 30 000 live objects, aged heap",
	.setup = small_aged, .slice = replace_slice, .teardown = drop,
};

const struct workload gap_live1m_fresh = {
	.name = "live1m-fresh", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 11,
	.what = "random replacement among 1 million live objects, fresh heap",
	.setup = large_fresh, .slice = replace_slice, .teardown = drop,
};

const struct workload gap_live1m_aged = {
	.name = "live1m-aged", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 11,
	.what = "random replacement among 1 million live objects, aged heap",
	.setup = large_aged, .slice = replace_slice, .teardown = drop,
};
