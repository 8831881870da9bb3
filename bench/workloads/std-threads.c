/* SPDX-License-Identifier: MIT */
/*
 * std-threads.c: threads that live for a moment.
 *
 * Stands for: a thread for each request. A thread allocates and frees mixed sizes, hands its last
 * object to its successor, which frees it, and ends; its caches should end with it. The first is
 * the time a thread, the second the memory held after all of them: it grows where caches of dead
 * threads are lost.
 * Literature: the reports of growth with short threads (gperftools issue 1592, jemalloc 2757).
 * Does not show: contention; the threads run one after another.
 */
#include "worker/stamp.h"

enum { THREADS = 600, OBJECTS = 100, LEAK_FACTOR = 4 };

struct relay {
	struct prng prng;
	void *left_over;
	size_t size;
};

static void brief_thread(struct run *run, unsigned thread, void *arg)
{
	struct relay *relay = arg;
	void *p[OBJECTS];
	size_t size[OBJECTS];

	(void)run;
	(void)thread;
	for (int i = 0; i < OBJECTS; i++) {
		size[i] = prng_size_log(&relay->prng, 4, 13);
		p[i] = stamp_malloc(size[i]);
	}
	if (relay->left_over)
		stamp_free(relay->left_over, relay->size);
	for (int i = 0; i < OBJECTS - 1; i++)
		stamp_free(p[i], size[i]);
	relay->left_over = p[OBJECTS - 1];
	relay->size = size[OBJECTS - 1];
}

static void threads_setup(struct run *run)
{
	struct relay *relay = work_map(sizeof(*relay));

	prng_seed(&relay->prng, run->seed);
	run->state = relay;
}

static uint64_t churn(struct run *run, size_t n)
{
	for (size_t i = 0; i < n; i++)
		work_parallel(run, 1, brief_thread, run->state);
	return n;
}

static uint64_t threads_slice(struct run *run)
{
	return churn(run, work_count(run, THREADS, 20));
}

static uint64_t leak_slice(struct run *run)
{
	uint64_t ops = churn(run, LEAK_FACTOR * work_count(run, THREADS, 20));

	run->value = (double)work_proc_kib("/proc/self/smaps_rollup", "\nRss:");
	return ops;
}

const struct workload std_threads = {
	.name = "threads", .family = "standard", .unit = "thread", .slices = 5,
	.what = "short threads one after another",
	.setup = threads_setup, .slice = threads_slice,
};

const struct workload std_threads_rss = {
	.name = "threads-rss", .family = "standard", .unit = "KiB", .flags = W_VALUE | W_NOLAT,
	.slices = 1, .what = "memory held after thousands of short threads",
	.setup = threads_setup, .slice = leak_slice,
};
