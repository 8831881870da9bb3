/* SPDX-License-Identifier: MIT */
/*
 * gap-idle-threads.c: a thousand threads that hardly do anything.
 *
 * Stands for: a Java-style or database server with a thread for each connection. Every thread
 * allocates a little of every small size, frees most of it, and sleeps. The result is the memory
 * of the process while all of them sleep: what per-thread caches and arenas cost.
 * Literature: jemalloc issue 2757 (400 threads, 2.5 MB each), rpmalloc issue 334.
 * Does not show: threads that work (see larson); stacks are in the figure, equal for all.
 */
#include <pthread.h>

#include "worker/stamp.h"

enum { THREADS = 1000, OBJECTS = 60, STACK = 65536 };

struct crowd {
	pthread_barrier_t all_asleep, wake_up;
	pthread_t id[THREADS];
	unsigned n;
};

static void *idler(void *arg)
{
	struct crowd *c = arg;
	void *p[OBJECTS];

	for (size_t i = 0; i < OBJECTS; i++)
		p[i] = stamp_malloc(16 + i * 16);
	for (size_t i = 1; i < OBJECTS; i++)
		stamp_free(p[i], 16 + i * 16);
	pthread_barrier_wait(&c->all_asleep);
	pthread_barrier_wait(&c->wake_up);
	stamp_free(p[0], 16);
	return NULL;
}

static uint64_t crowd_slice(struct run *run)
{
	struct crowd *c = work_map(sizeof(*c));
	pthread_attr_t attr;

	c->n = (unsigned)work_count(run, THREADS, 20);
	if (c->n > THREADS)
		c->n = THREADS;
	pthread_barrier_init(&c->all_asleep, NULL, c->n + 1);
	pthread_barrier_init(&c->wake_up, NULL, c->n + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (unsigned i = 0; i < c->n; i++)
		if (pthread_create(&c->id[i], &attr, idler, c))
			work_skip("not enough threads allowed here");
	pthread_barrier_wait(&c->all_asleep);
	run->value = (double)work_proc_kib("/proc/self/smaps_rollup", "\nRss:");
	pthread_barrier_wait(&c->wake_up);
	for (unsigned i = 0; i < c->n; i++)
		pthread_join(c->id[i], NULL);
	return c->n;
}

const struct workload gap_idle_threads = {
	.name = "idle-threads", .family = "gap", .unit = "KiB", .flags = W_VALUE | W_NOLAT,
	.slices = 1, .what = "memory of a process with 1 000 mostly idle threads",
	.slice = crowd_slice,
};
