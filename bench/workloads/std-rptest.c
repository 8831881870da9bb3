/* SPDX-License-Identifier: MIT */
/*
 * std-rptest.c: mixed sizes up to 16 KiB, a quarter of the objects freed by other threads.
 *
 * Stands for: a game or a server whose threads exchange buffers: each thread loops over a window
 * of its objects, replaces them, and every so often exchanges a bundle of them with whoever comes
 * next through a shared mailbox.
 * Literature: Jansson, rpmalloc-benchmark, 2017 (cross-thread mode; own code).
 * Does not show: objects above 16 KiB.
 */
#include <stdatomic.h>

#include "worker/stamp.h"

enum { WINDOW = 2000, BUNDLE = 64, OPS = 100000, EVERY = 192 };

struct bundle {
	void *object[BUNDLE];
	uint16_t size[BUNDLE];
};

struct mailbox {
	_Atomic(struct bundle *) bundle;
};

static size_t draw_size(struct prng *r)
{
	return prng_size_log(r, 4, 14);
}

static void fill(struct bundle *b, struct prng *r)
{
	for (int i = 0; i < BUNDLE; i++) {
		b->size[i] = (uint16_t)draw_size(r);
		b->object[i] = stamp_malloc(b->size[i]);
	}
}

static void release(struct bundle *b)
{
	for (int i = 0; i < BUNDLE; i++)
		stamp_free(b->object[i], b->size[i]);
}

/* Puts a full bundle in, takes another thread's out and frees it; returns the emptied one. */
static struct bundle *exchange(struct mailbox *m, struct bundle *b, struct prng *r)
{
	struct bundle *other;

	fill(b, r);
	other = atomic_exchange(&m->bundle, b);
	if (!other)
		return work_map(sizeof(*b));
	release(other);
	return other;
}

static void rp_thread(struct run *run, unsigned thread, void *arg)
{
	void **object = work_map(WINDOW * sizeof(*object));
	size_t *size = work_map(WINDOW * sizeof(*size));
	struct bundle *b = work_map(sizeof(*b));
	size_t n = work_count(run, OPS, 2000);
	struct prng r;

	prng_seed(&r, run->seed + thread);
	for (size_t k = 0; k < n; k++) {
		size_t i = k % WINDOW;

		if (object[i])
			stamp_free(object[i], size[i]);
		size[i] = draw_size(&r);
		object[i] = stamp_malloc(size[i]);
		if (k % EVERY == 0)
			b = exchange(arg, b, &r);
	}
	for (int i = 0; i < WINDOW; i++)
		if (object[i])
			stamp_free(object[i], size[i]);
	work_unmap(object, WINDOW * sizeof(*object));
	work_unmap(size, WINDOW * sizeof(*size));
}

static void rptest_setup(struct run *run)
{
	run->state = work_map(sizeof(struct mailbox));
}

static uint64_t rptest_slice(struct run *run)
{
	struct mailbox *m = run->state;
	struct bundle *last;

	work_parallel(run, run->threads, rp_thread, m);
	last = atomic_exchange(&m->bundle, NULL);
	if (last)
		release(last);
	return (uint64_t)run->threads * work_count(run, OPS, 2000) * (EVERY + BUNDLE) / EVERY;
}

const struct workload std_rptest = {
	.name = "rptest", .family = "standard", .unit = "pair", .flags = W_THREADS, .slices = 3,
	.what = "16 bytes to 16 KiB, a quarter freed by other threads",
	.setup = rptest_setup, .slice = rptest_slice,
};
