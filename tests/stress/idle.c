/* SPDX-License-Identifier: MIT */
/*
 * An idle process gives memory back: after a burst all but one per cent is freed
 * and then nobody calls malloc. Two seconds later what is resident must be near
 * what is alive. In one thread, and with the burst made by threads that idle on.
 *
 * The survivors are one stretch of neighbours in time. Scattered ones pin a page
 * each, whatever the allocator does: that is measured and printed, not judged.
 */
#include "stress.h"

#define BURST		(200 * MIB)
#define SCATTER		32	/* neighbours that live or die together when scattered */
#define PATIENCE	2000	/* ms */

struct herd {
	void **p;
	size_t count, live;
	struct rng rng;
	size_t bytes;
	bool scattered;
};

static void gather(struct herd *h)
{
	size_t have = 0;

	h->p = mmap(NULL, BURST / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(h->p != MAP_FAILED, "mmap");
	while (have < h->bytes) {
		size_t size = 16 + rng_size(&h->rng, rng_below(&h->rng, 20) ? 2000 : 60000);

		h->p[h->count] = malloc(size);
		MUST(h->p[h->count], "malloc(%zu)", size);
		stamp(h->p[h->count], malloc_usable_size(h->p[h->count]), h->count);
		h->count++;
		have += size;
	}
}

static bool survives(const struct herd *h, size_t i)
{
	if (h->scattered)
		return i / SCATTER % 100 == 7;
	return i >= h->count / 2 && i < h->count / 2 + h->count / 100;
}

/* One in a hundred stays. */
static void disperse(struct herd *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if (survives(h, i)) {
			h->live += malloc_usable_size(h->p[i]);
			continue;
		}
		free(h->p[i]);
		h->p[i] = NULL;
	}
}

static void finish(struct herd *h)
{
	for (size_t i = 0; i < h->count; i++) {
		MUST(!h->p[i] || stamp_holds(h->p[i], malloc_usable_size(h->p[i]), i),
		     "a survivor is damaged");
		free(h->p[i]);
	}
	munmap(h->p, BURST / 8);
}

/* The table of pointers is resident too, but no part of the heap. */
static size_t table_bytes(const struct herd *h)
{
	return h->count * sizeof(void *);
}

/* What the heap keeps, in bytes above `before`, when nobody has called it for a while. */
static size_t kept(size_t before, size_t peak, size_t live, size_t tables, const char *what)
{
	nap(PATIENCE);
	size_t after = resident() - tables;
	size_t grown = after > before ? after - before : 0;

	say(1, "# %s: %zu MiB at the peak, %zu KiB alive, %zu KiB kept after %d s idle\n", what,
	    (peak - before) / MIB, live / KIB, grown / KIB, PATIENCE / 1000);
	return grown;
}

static void judge(size_t before, size_t peak, size_t live, size_t tables, const char *what)
{
	ok(kept(before, peak, live, tables, what) <= live + live / 4 + 6 * MIB, what);
}

static void scattered(void)
{
	struct herd h = { .rng = rng_new(9), .bytes = BURST, .scattered = true };
	size_t before = resident();

	gather(&h);
	size_t peak = resident();

	disperse(&h);
	kept(before, peak, h.live, table_bytes(&h), "scattered survivors (not judged)");
	finish(&h);
}

static void one_thread(void)
{
	struct herd h = { .rng = rng_new(1), .bytes = BURST };
	size_t before = resident();

	gather(&h);
	size_t peak = resident();

	disperse(&h);
	judge(before, peak, h.live, table_bytes(&h), "one thread");
	finish(&h);
}

static pthread_barrier_t gate;

static void *herdsman(void *arg)
{
	struct herd *h = arg;

	gather(h);
	pthread_barrier_wait(&gate);
	disperse(h);
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);	/* idles, its magazines in its hands */
	return NULL;
}

static void idling_threads(void)
{
	enum { N = 4 };
	struct herd h[N];
	pthread_t t[N];
	size_t before = resident(), live = 0, tables = 0;

	pthread_barrier_init(&gate, NULL, N + 1);
	for (int i = 0; i < N; i++) {
		h[i] = (struct herd){ .rng = rng_new((uint64_t)i), .bytes = BURST / N };
		t[i] = thread_start(herdsman, &h[i]);
	}
	pthread_barrier_wait(&gate);
	size_t peak = resident();

	pthread_barrier_wait(&gate);
	for (int i = 0; i < N; i++) {
		live += h[i].live;
		tables += table_bytes(&h[i]);
	}
	judge(before, peak, live, tables, "four threads that idle on");
	pthread_barrier_wait(&gate);
	for (int i = 0; i < N; i++) {
		pthread_join(t[i], NULL);
		finish(&h[i]);
	}
}

/* Blocks beyond the buddy, and page runs. */
static void big_blocks(void)
{
	void *p[100];
	size_t before = resident();

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		size_t size = i & 1 ? 300000 : 6 * MIB;

		p[i] = malloc(size);
		memset(p[i], 1, size);
	}
	size_t peak = resident();

	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		free(p[i]);
	judge(before, peak, 0, 0, "page runs and large blocks");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "idle");
	one_thread();
	idling_threads();
	big_blocks();
	scattered();
	return stress_end();
}
