/* SPDX-License-Identifier: MIT */
/*
 * micro-handoff.c: one thread allocates, another frees.
 *
 * Stands for: a pipeline: network thread and worker, logger, garbage handed to a helper.
 * Literature: Bonwick & Adams 2001 §4; the one-directional case of Lever & Boreham's xmalloc,
 * "malloc() performance in a multithreaded Linux environment", 2000. Objects go through a ring of
 * batches of 64, so that the ring itself costs little.
 * Does not show: contention of many producers (see xmalloc), sharing of cache lines.
 */
#include <sched.h>
#include <stdatomic.h>

#include "worker/stamp.h"

enum { PER_BATCH = 64, RING = 64, OBJECTS = 400000, OBJECT = 48 };

struct ring {
	_Alignas(64) atomic_size_t head;	/* batches written */
	_Alignas(64) atomic_size_t tail;	/* batches read */
	_Alignas(64) void *slot[RING][PER_BATCH];
};

static void produce(struct ring *ring, size_t batches)
{
	for (size_t b = 0; b < batches; b++) {
		while (b - atomic_load_explicit(&ring->tail, memory_order_acquire) >= RING)
			sched_yield();
		for (int i = 0; i < PER_BATCH; i++)
			ring->slot[b % RING][i] = stamp_malloc(OBJECT);
		atomic_store_explicit(&ring->head, b + 1, memory_order_release);
	}
}

static void consume(struct ring *ring, size_t batches)
{
	for (size_t b = 0; b < batches; b++) {
		while (atomic_load_explicit(&ring->head, memory_order_acquire) <= b)
			sched_yield();
		for (int i = 0; i < PER_BATCH; i++)
			stamp_free(ring->slot[b % RING][i], OBJECT);
		atomic_store_explicit(&ring->tail, b + 1, memory_order_release);
	}
}

static void side(struct run *run, unsigned thread, void *arg)
{
	size_t batches = work_count(run, OBJECTS, 10000) / PER_BATCH;

	if (thread == 0)
		produce(arg, batches);
	else
		consume(arg, batches);
}

static void handoff_setup(struct run *run)
{
	run->state = work_map(sizeof(struct ring));
}

static uint64_t handoff_slice(struct run *run)
{
	struct ring *ring = run->state;

	atomic_store(&ring->head, 0);
	atomic_store(&ring->tail, 0);
	work_parallel(run, 2, side, ring);
	return work_count(run, OBJECTS, 10000) / PER_BATCH * PER_BATCH;
}

const struct workload micro_handoff = {
	.name = "handoff", .family = "micro", .unit = "pair", .flags = W_QUICK, .slices = 9,
	.what = "producer allocates, consumer on another thread frees",
	.setup = handoff_setup, .slice = handoff_slice,
};
