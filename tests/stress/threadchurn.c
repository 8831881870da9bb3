/* SPDX-License-Identifier: MIT */
/*
 * Threads that come and go: 10 000 short ones, each of which allocates, leaves
 * some blocks to its parent and frees some of others. Their magazines must go
 * back when they end: resident memory after 10 000, trimmed so that
 * warm caches do not count, is that after 2 000.
 */
#include "stress.h"

#include <malloc.h>

#define THREADS		10000
#define SETTLED		2000
#define AT_ONCE		8
#define LEGACY		64	/* blocks a thread leaves behind */

static size_t trimmed(void)
{
	malloc_trim(0);
	return resident();
}

struct legacy {
	unsigned char *p[LEGACY];
	size_t size[LEGACY];
	uint64_t key;
};

static void *short_life(void *arg)
{
	struct legacy *l = arg;
	struct rng r = rng_new(l->key);
	void *own[200];

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t size = rng_size(&r, 8192);

		own[i] = malloc(size);
		memset(own[i], 1, size);
	}
	for (size_t i = 0; i < LEGACY; i++) {
		l->size[i] = rng_size(&r, 4096);
		l->p[i] = malloc(l->size[i]);
		stamp(l->p[i], l->size[i], l->key + i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		free(own[i]);
	return NULL;
}

static void inherit(struct legacy *l)
{
	for (size_t i = 0; i < LEGACY; i++) {
		MUST(stamp_holds(l->p[i], l->size[i], l->key + i),
		     "a dead thread's block of %zu bytes is damaged", l->size[i]);
		free(l->p[i]);
	}
}

static void wave(int first)
{
	struct legacy l[AT_ONCE];
	pthread_t t[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		l[i].key = (uint64_t)(first + i) * 1000;
		t[i] = thread_start(short_life, &l[i]);
	}
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < AT_ONCE; i++)
		inherit(&l[i]);
}

static void churn(void)
{
	size_t settled = 0;

	for (int n = 0; n < THREADS; n += AT_ONCE) {
		wave(n);
		if (n <= SETTLED)
			settled = trimmed();
	}
	size_t last = trimmed();

	say(1, "# resident %zu KiB after %d threads, %zu KiB after %d\n", settled / KIB, SETTLED,
	    last / KIB, THREADS);
	ok(last <= settled + settled / 8 + MIB, "10 000 short threads do not grow memory");
}

static void *sleeper(void *arg)
{
	pthread_barrier_t *gate = arg;

	free(malloc(100));
	pthread_barrier_wait(gate);
	pthread_barrier_wait(gate);
	return NULL;
}

/* Many at the same time, most of them idle: the cost of a thread is bounded. */
static void many_at_once(void)
{
	enum { N = 500 };
	static pthread_t t[N];
	pthread_barrier_t gate;
	pthread_attr_t attr;
	size_t before = resident();

	pthread_barrier_init(&gate, NULL, N + 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * KIB);
	for (int i = 0; i < N; i++)
		MUST(pthread_create(&t[i], &attr, sleeper, &gate) == 0, "pthread_create");
	pthread_barrier_wait(&gate);
	size_t with = resident();

	pthread_barrier_wait(&gate);
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	say(1, "# %zu KiB a thread, stack included\n", (with - before) / N / KIB);
	ok(with - before < N * 64 * KIB, "an idle thread costs less than 64 KiB");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "threadchurn");
	churn();
	many_at_once();
	return stress_end();
}
