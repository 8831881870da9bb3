/* SPDX-License-Identifier: MIT */
/*
 * Long chains of realloc: buffers that grow and shrink through every kind of
 * block, from several threads, each verified after every step; and growth to
 * 1 GiB, which must not copy (nor touch) what lies above the buddy's orders.
 */
#include "stress.h"

#define BUFFERS	32

struct buffer {
	unsigned char *p;
	size_t size;
	uint64_t key;
};

static double end_time;

static size_t next_size(struct rng *r, size_t have)
{
	switch (rng_below(r, 6)) {
	case 0:
		return have + 1 + rng_below(r, 64);		/* append */
	case 1:
		return have * 2 + 16 < 24 * MIB ? have * 2 + 16 : 100;
	case 2:
		return have / 2 + 1;
	case 3:
		return have > 10 ? have - 1 - rng_below(r, 9) : 5;
	case 4:
		return 1 + rng_size(r, 300000);
	default:
		return 1 + rng_size(r, 8 * MIB);
	}
}

static void step(struct rng *r, struct buffer *b)
{
	size_t want = next_size(r, b->size), keep = want < b->size ? want : b->size;
	unsigned char *p = realloc(b->p, want);

	MUST(p, "realloc to %zu", want);
	MUST(!b->size || stamp_prefix_holds(p, keep, b->size, b->key),
	     "realloc from %zu to %zu lost contents", b->size, want);
	b->p = p;
	b->size = want;
	b->key = rng_next(r);
	stamp(p, want, b->key);
}

static void *chain(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);
	struct buffer b[BUFFERS] = { 0 };

	while (now() < end_time)
		for (int i = 0; i < 50; i++) {
			struct buffer *one = &b[rng_below(&r, BUFFERS)];

			MUST(!one->p || stamp_holds(one->p, one->size, one->key),
			     "buffer of %zu bytes is damaged", one->size);
			step(&r, one);
		}
	for (int i = 0; i < BUFFERS; i++)
		free(b[i].p);
	return NULL;
}

static void chains(int threads, const char *what)
{
	pthread_t t[8];

	end_time = deadline();
	for (int i = 0; i < threads; i++)
		t[i] = thread_start(chain, (void *)(uintptr_t)i);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	ok(true, what);
}

/* Only the first and last word of each step are touched, so RSS shows any copying. */
static void grow_to_a_gibibyte(void)
{
	const size_t limit = 1024 * MIB;
	size_t before = resident(), size = 8 * MIB, most = 0;
	uint64_t *p = malloc(size);

	MUST(p, "malloc(8 MiB)");
	p[0] = 42;
	while (size < limit) {
		size_t more = size + size / 4;

		p[size / 8 - 1] = size;
		p = realloc(p, more);
		if (!p)
			break;
		MUST(p[0] == 42 && p[size / 8 - 1] == size, "contents lost at %zu", size);
		size = more;
		most = resident() > most ? resident() : most;
	}
	free(p);
	if (!p) {
		skip("growth to 1 GiB copies nothing", "no gibibyte of address space");
		return;
	}
	say(1, "# resident grew by %zu KiB on the way\n", (most - before) / KIB);
	ok(most < before + 64 * MIB, "growth to 1 GiB copies nothing");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "reallocchain");
	stress.seconds /= 2;
	chains(1, "chains in one thread");
	chains(4, "chains in four threads");
	grow_to_a_gibibyte();
	return stress_end();
}
