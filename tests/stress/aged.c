/* SPDX-License-Identifier: MIT */
/*
 * An aged heap: phases of churn with different mixes of sizes, in each of which
 * some blocks survive all others. Everything is verified, and memory must follow
 * what is alive, not what has ever been: fragmentation is bounded.
 */
#include "stress.h"

#define SLOTS	60000

static struct {
	void *p;
	uint32_t size;
	uint32_t key;
} slot[SLOTS];

static size_t live;

static void drop(size_t i)
{
	MUST(stamp_holds(slot[i].p, slot[i].size, slot[i].key), "block %p of %u bytes is damaged",
	     slot[i].p, slot[i].size);
	live -= slot[i].size;
	free(slot[i].p);
	slot[i].p = NULL;
}

static void take(size_t i, size_t size, uint32_t key)
{
	slot[i].p = malloc(size);
	MUST(slot[i].p, "malloc(%zu)", size);
	slot[i].size = (uint32_t)size;
	slot[i].key = key;
	live += size;
	stamp(slot[i].p, size, key);
}

/* A phase prefers one magnitude, as programs do. */
static size_t phase_size(struct rng *r, unsigned phase)
{
	static const size_t typical[] = { 24, 100, 300, 64, 1500, 700, 48, 4000 };
	size_t t = typical[phase % ARRAY_SIZE(typical)];

	return rng_below(r, 10) ? t / 2 + rng_below(r, t) : rng_size(r, 20000);
}

static void churn(struct rng *r, unsigned phase, size_t steps)
{
	for (size_t n = 0; n < steps; n++) {
		size_t i = rng_below(r, SLOTS);

		if (slot[i].p)
			drop(i);
		else
			take(i, phase_size(r, phase), (uint32_t)rng_next(r));
	}
}

/* Most of a phase's blocks die with it; one in eight stays. */
static void end_phase(struct rng *r)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slot[i].p && rng_below(r, 8))
			drop(i);
}

static void drop_all(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slot[i].p)
			drop(i);
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "aged");
	struct rng r = rng_new(1);
	double until = deadline();
	size_t before = resident(), most_live = 0, most = 0;
	unsigned phase = 0;

	for (; now() < until || phase < 16; phase++) {
		churn(&r, phase, 100000);
		most_live = live > most_live ? live : most_live;
		most = resident() > most ? resident() : most;
		end_phase(&r);
	}
	say(1, "# %u phases, %zu KiB live at most, resident grew by %zu KiB at most\n", phase,
	    most_live / KIB, (most - before) / KIB);
	ok(true, "every block verified");
	ok(most - before < most_live * 2 + 8 * MIB, "fragmentation stays below the peak's double");
	drop_all();
	malloc_trim(0);
	size_t after = resident();

	say(1, "# resident %zu KiB above the start after freeing all\n",
	    after > before ? (after - before) / KIB : 0);
	ok(after < before + 6 * MIB, "an emptied heap goes back");
	return stress_end();
}
