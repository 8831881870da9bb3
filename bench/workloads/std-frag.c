/* SPDX-License-Identifier: MIT */
/*
 * std-frag.c: the distribution of sizes shifts, a tenth of every phase survives.
 *
 * Stands for: a long-running process whose requests change: caches of one kind of object are
 * dropped while another kind grows. Each phase fills 48 MiB with objects of its own range of
 * sizes and then frees nine in ten at random; what survives pins the memory that the next phase,
 * with other sizes, would like to have.
 * Literature: Robson 1971 for the worst case; Johnstone & Wilson, "The memory fragmentation
 * problem: solved?", 1998, for what programs do. Peak memory against live bytes is the result to
 * look at.
 * Does not show: time (most of it is page faults).
 */
#include "worker/stamp.h"

enum { PHASES = 6, PHASE_BYTES = 48 << 20, MAX_OBJECTS = 1200000, SURVIVE_ONE_IN = 10 };

struct objects {
	void *p[MAX_OBJECTS];
	uint32_t size[MAX_OBJECTS];
};

static const uint32_t range[PHASES][2] = {
	{ 40, 72 }, { 100, 200 }, { 1000, 3000 }, { 200, 500 }, { 5000, 20000 }, { 60, 130 },
};

static uint32_t fill(struct objects *o, uint32_t from, size_t bytes, const uint32_t *sizes,
		     struct prng *r)
{
	uint32_t n = from;

	for (size_t sum = 0; sum < bytes && n < MAX_OBJECTS; sum += o->size[n++]) {
		o->size[n] = (uint32_t)prng_range(r, sizes[0], sizes[1]);
		o->p[n] = stamp_malloc(o->size[n]);
	}
	return n;
}

static uint32_t thin_out(struct objects *o, uint32_t from, uint32_t to, struct prng *r)
{
	uint32_t kept = from;

	for (uint32_t i = from; i < to; i++) {
		if (prng_below(r, SURVIVE_ONE_IN)) {
			stamp_free(o->p[i], o->size[i]);
			continue;
		}
		o->p[kept] = o->p[i];
		o->size[kept++] = o->size[i];
	}
	return kept;
}

static void frag_setup(struct run *run)
{
	run->state = work_map(sizeof(struct objects));
}

static uint64_t frag_slice(struct run *run)
{
	struct objects *o = run->state;
	size_t bytes = work_count(run, PHASE_BYTES, 4 << 20);
	uint32_t n = 0, end;
	uint64_t ops = 0;
	struct prng r;

	prng_seed(&r, run->seed);
	for (int phase = 0; phase < PHASES; phase++) {
		end = fill(o, n, bytes, range[phase], &r);
		ops += end - n;
		n = thin_out(o, n, end, &r);
	}
	for (uint32_t i = 0; i < n; i++)
		stamp_free(o->p[i], o->size[i]);
	run->live = bytes + bytes / SURVIVE_ONE_IN * (PHASES - 1);
	return ops;
}

static void frag_drop(struct run *run)
{
	work_unmap(run->state, sizeof(struct objects));
}

const struct workload std_frag = {
	.name = "frag", .family = "standard", .unit = "pair", .flags = W_IDLE, .slices = 2,
	.what = "sizes shift from phase to phase, a tenth survives",
	.setup = frag_setup, .slice = frag_slice, .teardown = frag_drop,
};
