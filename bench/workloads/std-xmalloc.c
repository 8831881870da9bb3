/* SPDX-License-Identifier: MIT */
/*
 * std-xmalloc.c: every thread allocates batches that any other thread frees.
 *
 * Stands for: a thread pool behind one queue. Each thread in turn allocates a batch of 120 objects
 * of 16 to 512 bytes, queues it, and frees a batch that it finds in the queue, whoever made it.
 * Literature: Lever & Boreham 2000 (xmalloc-test); the version with batches is mimalloc-bench's.
 * Memory is bounded by the queue's length, so that peak memory means something here.
 * Does not show: locality; one lock guards the queue, so many cores will wait for it a little.
 */
#include <pthread.h>

#include "worker/stamp.h"

enum { BATCH = 120, QUEUE = 64, BATCHES = 3000, SIZES = 256 };

struct batch {
	void *object[BATCH];
	uint16_t size[BATCH];
};

struct queue {
	pthread_mutex_t lock;
	unsigned n;
	struct batch *full[QUEUE];
	unsigned n_empty;
	struct batch *empty[QUEUE];
	struct batch store[QUEUE];
	uint16_t sizes[SIZES];
};

static void fill(const struct queue *q, struct batch *b, size_t round)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		b->size[i] = q->sizes[(round + i) % SIZES];
		b->object[i] = stamp_malloc(b->size[i]);
	}
}

static void release(struct batch *b)
{
	for (int i = 0; i < BATCH; i++)
		stamp_free(b->object[i], b->size[i]);
}

static struct batch *take(struct queue *q, struct batch **from, unsigned *n)
{
	struct batch *b;

	pthread_mutex_lock(&q->lock);
	b = *n ? from[--*n] : NULL;
	pthread_mutex_unlock(&q->lock);
	return b;
}

static void put(struct queue *q, struct batch **to, unsigned *n, struct batch *b)
{
	pthread_mutex_lock(&q->lock);
	to[(*n)++] = b;
	pthread_mutex_unlock(&q->lock);
}

static void consume_one(struct queue *q)
{
	struct batch *b = take(q, q->full, &q->n);

	if (!b)
		return;
	release(b);
	put(q, q->empty, &q->n_empty, b);
}

static void pool_thread(struct run *run, unsigned thread, void *arg)
{
	struct queue *q = arg;
	size_t n = work_count(run, BATCHES, 50);

	for (size_t k = 0; k < n; k++) {
		struct batch *b;

		while (!(b = take(q, q->empty, &q->n_empty)))
			consume_one(q);
		fill(q, b, k + thread);
		put(q, q->full, &q->n, b);
		if (k % 8 != 0)	/* the queue fills slowly, then stays full */
			consume_one(q);
	}
}

static void xmalloc_setup(struct run *run)
{
	struct queue *q = work_map(sizeof(*q));
	struct prng r;

	prng_seed(&r, run->seed);
	pthread_mutex_init(&q->lock, NULL);
	for (int i = 0; i < SIZES; i++)
		q->sizes[i] = (uint16_t)prng_size_log(&r, 4, 9);
	for (int i = 0; i < QUEUE; i++)
		q->empty[q->n_empty++] = &q->store[i];
	run->state = q;
}

static uint64_t xmalloc_slice(struct run *run)
{
	struct queue *q = run->state;

	work_parallel(run, run->threads, pool_thread, q);
	while (q->n)
		consume_one(q);
	return (uint64_t)run->threads * work_count(run, BATCHES, 50) * BATCH;
}

const struct workload std_xmalloc = {
	.name = "xmalloc", .family = "standard", .unit = "pair", .flags = W_QUICK | W_THREADS,
	.slices = 3, .what = "thread pool: any thread frees what any other allocated",
	.setup = xmalloc_setup, .slice = xmalloc_slice,
};
