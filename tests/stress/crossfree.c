/* SPDX-License-Identifier: MIT */
/*
 * Blocks change threads: N producers allocate and stamp, M consumers verify and
 * free, through bounded queues; then everyone swaps blocks with everyone. What
 * is looked for: a block given out twice, a block lost, memory that piles up on
 * the producers' side because only consumers free.
 */
#include "stress.h"

#define QUEUE	1024

struct item {
	unsigned char *p;
	size_t size;
	uint64_t key;
};

static struct queue {
	pthread_mutex_t lock;
	struct item ring[QUEUE];
	unsigned head, tail;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER };

static atomic_int producers_left;
static size_t max_size;
static double end_time;

static bool put(const struct item *it)
{
	pthread_mutex_lock(&queue.lock);
	bool room = queue.head - queue.tail < QUEUE;

	if (room)
		queue.ring[queue.head++ % QUEUE] = *it;
	pthread_mutex_unlock(&queue.lock);
	return room;
}

static bool get(struct item *it)
{
	pthread_mutex_lock(&queue.lock);
	bool any = queue.head != queue.tail;

	if (any)
		*it = queue.ring[queue.tail++ % QUEUE];
	pthread_mutex_unlock(&queue.lock);
	return any;
}

static struct item make(struct rng *r)
{
	struct item it = { .size = rng_size(r, max_size), .key = rng_next(r) };

	it.p = malloc(it.size);
	MUST(it.p, "malloc(%zu)", it.size);
	stamp(it.p, it.size, it.key);
	return it;
}

static void check_and_free(const struct item *it)
{
	MUST(stamp_holds(it->p, it->size, it->key), "block %p of %zu bytes is damaged",
	     (void *)it->p, it->size);
	free(it->p);
}

static void *producer(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);

	while (now() < end_time)
		for (int i = 0; i < 100; i++) {
			struct item it = make(&r);

			while (!put(&it))
				sched_yield();
		}
	atomic_fetch_sub(&producers_left, 1);
	return NULL;
}

static void *consumer(void *arg)
{
	struct item it;

	(void)arg;
	for (;;) {
		if (get(&it))
			check_and_free(&it);
		else if (atomic_load(&producers_left) == 0)
			break;
		else
			sched_yield();
	}
	return NULL;
}

static void pipeline(int producers, int consumers, size_t max, const char *what)
{
	pthread_t t[32];
	int n = 0;

	max_size = max;
	end_time = now() + stress.seconds / 4;
	producers_left = producers;
	for (int i = 0; i < producers; i++)
		t[n++] = thread_start(producer, (void *)(uintptr_t)i);
	for (int i = 0; i < consumers; i++)
		t[n++] = thread_start(consumer, NULL);
	while (n-- > 0)
		pthread_join(t[n], NULL);
	struct item rest;

	while (get(&rest))
		check_and_free(&rest);
	ok(true, what);
}

/* Slots everyone writes to: whoever finds a block there owns it and frees it. */
#define SLOTS	4096
static struct item *_Atomic slots[SLOTS];

static void *swapper(void *arg)
{
	struct rng r = rng_new(1000 + (uintptr_t)arg);

	while (now() < end_time)
		for (int i = 0; i < 200; i++) {
			struct item *mine = malloc(sizeof(*mine));

			*mine = make(&r);
			struct item *old = atomic_exchange(&slots[rng_below(&r, SLOTS)], mine);

			if (old) {
				check_and_free(old);
				free(old);
			}
		}
	return NULL;
}

static void swapping(int threads)
{
	pthread_t t[32];

	max_size = 4096;
	end_time = now() + stress.seconds / 4;
	for (int i = 0; i < threads; i++)
		t[i] = thread_start(swapper, (void *)(uintptr_t)i);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	for (size_t i = 0; i < SLOTS; i++) {
		struct item *old = atomic_exchange(&slots[i], NULL);

		if (old) {
			check_and_free(old);
			free(old);
		}
	}
	ok(true, "blocks swapped between all threads");
}

/* Only one side allocates: what it holds must not grow with what has passed. */
static void one_way_is_bounded(void)
{
	size_t before = resident();

	pipeline(1, 1, 1024, "one producer, one consumer");
	size_t after = resident();

	say(1, "# resident %zu KiB before, %zu after\n", before / KIB, after / KIB);
	ok(after < before + 24 * MIB, "memory does not pile up on one side");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "crossfree");
	one_way_is_bounded();
	pipeline(2, 6, 20000, "two producers, six consumers");
	pipeline(6, 2, 300000, "six producers, two consumers");
	swapping(8);
	return stress_end();
}
