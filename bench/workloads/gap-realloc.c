/* SPDX-License-Identifier: MIT */
/*
 * gap-realloc.c: growth by realloc.
 *
 * Stands for: a vector that doubles, a string built piece by piece (several at a time, so that
 * growing in place is not always possible), a file read into one buffer that ends at 1 GiB.
 * Literature: the amortised array of every textbook; folly's FBVector notes on why 1.5.
 * Each block's contents are verified at the new place. Only new pages are written (a word each),
 * so in realloc-huge the time is copying plus page faults.
 * realloc-lone is the opposite: nothing else is allocated while one vector grows.
 * Does not show: shrinking.
 */
#include <string.h>

#include "worker/stamp.h"

enum {
	PAGE = 4096, VECTORS = 100, VECTOR_MAX = 32768, GROWTHS = 40000, LONE = 2000,
	STRINGS = 32, APPENDS = 40000, PIECE = 23,
};

static void *grow(void *p, size_t old, size_t size)
{
	void *q = realloc(p, size);

	if (!q)
		work_fail("realloc to %zu bytes", size);
	if (old >= sizeof(size_t) && *(size_t *)q != old)
		work_fail("realloc from %zu to %zu lost the contents", old, size);
	*(size_t *)q = size;
	return q;
}

/* VECTORS vectors double in random order; one that has reached 32 KiB starts again. */
struct vectors {
	struct prng prng;
	void *data[VECTORS];
	size_t size[VECTORS];
};

static void vectors_setup(struct run *run)
{
	struct vectors *v = work_map(sizeof(*v));

	prng_seed(&v->prng, run->seed);
	run->state = v;
}

static void grow_one(struct vectors *v, uint32_t i)
{
	size_t size = v->size[i] ? v->size[i] * 2 : 16;

	if (size > VECTOR_MAX) {
		free(v->data[i]);
		v->data[i] = NULL;
		v->size[i] = 0;
		return;
	}
	v->data[i] = grow(v->data[i], v->size[i], size);
	v->size[i] = size;
}

static uint64_t vectors_slice(struct run *run)
{
	struct vectors *v = run->state;
	size_t n = work_count(run, GROWTHS, 1000);

	for (size_t k = 0; k < n; k++)
		grow_one(v, prng_below(&v->prng, VECTORS));
	return n;
}

const struct workload gap_realloc_vector = {
	.name = "realloc-vector", .family = "micro", .unit = "realloc", .flags = W_QUICK,
	.slices = 11, .what = "100 vectors doubling in random order, 16 bytes to 32 KiB",
	.setup = vectors_setup, .slice = vectors_slice,
};

/* Nothing else is allocated meanwhile: the best case for growing at the top of a heap. */
static uint64_t lone_slice(struct run *run)
{
	size_t n = work_count(run, LONE, 50), ops = 0;

	for (size_t k = 0; k < n; k++) {
		void *p = NULL;
		size_t old = 0;

		for (size_t size = 16; size <= VECTOR_MAX; old = size, size *= 2, ops++)
			p = grow(p, old, size);
		free(p);
	}
	return ops;
}

const struct workload gap_realloc_lone = {
	.name = "realloc-lone", .family = "gap", .unit = "realloc", .slices = 11,
	.what = "one vector alone doubling from 16 bytes to 32 KiB",
	.slice = lone_slice,
};

static void strings_setup(struct run *run)
{
	run->state = work_map(STRINGS * sizeof(char *));
}

/* STRINGS strings grow in turn, PIECE bytes at a time, as naive string building does. */
static uint64_t strings_slice(struct run *run)
{
	char **s = run->state;
	size_t n = work_count(run, APPENDS, 1000) / STRINGS;

	for (int i = 0; i < STRINGS; i++)
		s[i] = NULL;
	for (size_t k = 0; k < n; k++)
		for (int i = 0; i < STRINGS; i++)
			s[i] = grow(s[i], k * PIECE, (k + 1) * PIECE);
	for (int i = 0; i < STRINGS; i++)
		free(s[i]);
	return n * STRINGS;
}

const struct workload gap_realloc_string = {
	.name = "realloc-string", .family = "gap", .unit = "realloc", .slices = 11,
	.what = "32 strings growing in turn by 23 bytes at a time",
	.setup = strings_setup, .slice = strings_slice,
};

static void touch_new(char *p, size_t from, size_t to)
{
	size_t first = from < PAGE ? PAGE : (from + PAGE - 1) / PAGE * PAGE;

	for (size_t i = first; i + sizeof(size_t) <= to; i += PAGE)
		*(size_t *)(p + i) = i;
}

static void check_touched(const char *p, size_t to)
{
	for (size_t i = PAGE; i + sizeof(size_t) <= to; i += PAGE)
		if (*(const size_t *)(p + i) == 0)
			work_fail("realloc lost the page at %zu", i);
}

static uint64_t huge_slice(struct run *run)
{
	size_t end = work_count(run, (size_t)1 << 30, (size_t)1 << 24), old = 0, ops = 0;
	char *p = NULL;

	for (size_t size = 65536; size <= end; size += size / 2 / PAGE * PAGE) {
		p = grow(p, old, size);
		touch_new(p, old, size);
		old = size;
		ops++;
	}
	check_touched(p, old);
	run->live = old;
	free(p);
	return ops;
}

const struct workload gap_realloc_huge = {
	.name = "realloc-huge", .family = "micro", .unit = "realloc", .flags = W_QUICK | W_NOLAT,
	.slices = 3, .what = "one buffer growing by halves from 64 KiB to 1 GiB",
	.slice = huge_slice,
};
