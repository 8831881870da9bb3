/* SPDX-License-Identifier: MIT */
/*
 * gap-tail.c: single slow calls while memory is tight.
 *
 * Stands for: a service with a latency goal on a busy machine. The heap breathes between 8 and
 * 64 MiB, so that the allocator keeps returning and fetching memory, while a second thread maps,
 * touches and unmaps memory all the time, which holds the process's memory map lock the way other
 * threads' growth, or the kernel's reclaim, does. Look at p99.9 and max of the latency pass.
 * Literature: Leijen (mimalloc-bench pull request 57) and Parkinson (issue 190) name worst-case
 * latency as what the usual benchmarks leave out.
 * Does not show: swapping; it needs no limit on the machine's memory.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "worker/stamp.h"

enum { OBJECTS = 60000, BREATHS = 2, STRESS_BYTES = 4 << 20, KEEP = OBJECTS / 8 };

struct tail {
	struct prng prng;
	pthread_t stressor;
	atomic_bool stop;
	void *p[OBJECTS];
	uint32_t size[OBJECTS];
};

static void *stress(void *arg)
{
	struct tail *t = arg;

	while (!atomic_load(&t->stop)) {
		char *p = work_map(STRESS_BYTES);

		for (size_t i = 0; i < STRESS_BYTES; i += 4096)
			p[i] = 1;
		work_unmap(p, STRESS_BYTES);
	}
	return NULL;
}

static void breathe_in(struct tail *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		t->size[i] = (uint32_t)prng_size_log(&t->prng, 5, 13);
		t->p[i] = stamp_malloc(t->size[i]);
	}
}

static void breathe_out(struct tail *t, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		stamp_free(t->p[i], t->size[i]);
}

static void tail_setup(struct run *run)
{
	struct tail *t = work_map(sizeof(*t));

	prng_seed(&t->prng, run->seed);
	breathe_in(t, 0, KEEP);
	run->state = t;
}

static uint64_t tail_slice(struct run *run)
{
	struct tail *t = run->state;
	uint32_t n = (uint32_t)work_count(run, OBJECTS, KEEP + 1000);

	if (n > OBJECTS)
		n = OBJECTS;
	atomic_store(&t->stop, false);
	if (pthread_create(&t->stressor, NULL, stress, t))
		work_fail("cannot create the second thread");
	for (int k = 0; k < BREATHS; k++) {
		breathe_in(t, KEEP, n);
		breathe_out(t, KEEP, n);
	}
	atomic_store(&t->stop, true);
	pthread_join(t->stressor, NULL);
	return (uint64_t)BREATHS * (n - KEEP);
}

static void tail_drop(struct run *run)
{
	breathe_out(run->state, 0, KEEP);
}

const struct workload gap_tail = {
	.name = "tail", .family = "gap", .unit = "pair", .flags = W_WALL, .slices = 5,
	.what = "a heap that breathes while another thread maps and unmaps",
	.setup = tail_setup, .slice = tail_slice, .teardown = tail_drop,
};
