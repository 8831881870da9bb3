/* SPDX-License-Identifier: MIT */
/*
 * gap-idle.c: a burst of memory, then nothing.
 *
 * Stands for: a desktop program or a server at night: 128 MiB of mixed sizes are allocated, most
 * are freed, and the process waits without calling the allocator. idle-all frees everything,
 * idle-some keeps a random fiftieth (2.5 MiB that pin pages). The result is the memory held 1.5 s
 * later; the memory pass shows 10 s as well.
 * Literature: mimalloc_rust issue 141, jemalloc issue 1128: memory that never comes back because
 * the allocator is only awake when it is called.
 * Does not show: what giving memory back costs when the next burst comes (see frag, large).
 */
#include <stdbool.h>
#include <unistd.h>

#include "worker/stamp.h"

enum { BURST = 128 << 20, MAX_OBJECTS = 400000, KEEP_ONE_IN = 50, WAIT_US = 1500000 };

struct burst {
	uint32_t n;
	void *p[MAX_OBJECTS];
	uint32_t size[MAX_OBJECTS];
};

static void fill(struct run *run, struct burst *b, struct prng *r)
{
	size_t bytes = work_count(run, BURST, 8 << 20);

	for (size_t sum = 0; sum < bytes && b->n < MAX_OBJECTS; sum += b->size[b->n++]) {
		b->size[b->n] = (uint32_t)prng_size_log(r, 4, 12);
		b->p[b->n] = stamp_malloc(b->size[b->n]);
	}
}

static uint64_t burst_and_wait(struct run *run, bool keep)
{
	struct burst *b = run->state;
	struct prng r;

	prng_seed(&r, run->seed);
	fill(run, b, &r);
	for (uint32_t i = 0; i < b->n; i++) {
		if (keep && prng_below(&r, KEEP_ONE_IN) == 0) {
			run->live += b->size[i];
			continue;
		}
		stamp_free(b->p[i], b->size[i]);
	}
	usleep(WAIT_US);
	return b->n;
}

/* The table of pointers is not the allocator's memory: it is dropped before looking. */
static uint64_t finish(struct run *run, uint64_t ops)
{
	work_unmap(run->state, sizeof(struct burst));
	run->value = (double)work_proc_kib("/proc/self/smaps_rollup", "\nRss:");
	return ops;
}

static void idle_setup(struct run *run)
{
	run->state = work_map(sizeof(struct burst));
}

static uint64_t all_slice(struct run *run)
{
	return finish(run, burst_and_wait(run, false));
}

static uint64_t some_slice(struct run *run)
{
	return finish(run, burst_and_wait(run, true));
}

const struct workload gap_idle_all = {
	.name = "idle-all", .family = "gap", .unit = "KiB",
	.flags = W_VALUE | W_NOLAT | W_IDLE, .slices = 1,
	.what = "memory held 1.5 s after a burst of 128 MiB was freed",
	.setup = idle_setup, .slice = all_slice,
};

const struct workload gap_idle_some = {
	.name = "idle-some", .family = "gap", .unit = "KiB",
	.flags = W_VALUE | W_NOLAT | W_IDLE, .slices = 1,
	.what = "memory held 1.5 s after all but 2 % of a burst was freed",
	.setup = idle_setup, .slice = some_slice,
};
