/* SPDX-License-Identifier: MIT */
/*
 * schedule.c: the order of the runs.
 *
 * A round runs every cell once. Tasks come in shuffled order, and within a task the allocators
 * follow each other at once in shuffled order: what the machine does meanwhile hits them alike,
 * and none always runs first. The first round warms caches and is dropped. Passes that disturb
 * timing (memory sampling, latencies, callgrind) come after, each in runs of its own.
 */
#include "driver/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "common/prng.h"
#include "driver/child.h"
#include "driver/instructions.h"
#include "driver/programs.h"
#include "driver/progress.h"
#include "driver/util.h"

static void add_cell(struct set *set, const struct task *t, unsigned threads,
		     const struct allocator *a, unsigned rounds)
{
	struct cell *c = &set->cell[set->cells++];

	*c = (struct cell){ .task = t, .allocator = a, .threads = threads, .instructions = -1 };
	c->sample = xcalloc(rounds, sizeof(*c->sample));
	c->memory.idle = c->memory.idle1 = c->memory.idle10 = -1;
}

static void make_grid(struct set *set, const struct plan *plan)
{
	set->cell = xcalloc(set->tasks * plan->thread_counts * set->allocators,
			    sizeof(*set->cell));
	for (size_t t = 0; t < set->tasks; t++)
		for (size_t n = 0; n < plan->thread_counts; n++)
			for (size_t a = 0; a < set->allocators; a++)
				if (n == 0 || set->task[t].flags & T_THREADS)
					add_cell(set, &set->task[t], plan->threads[n],
						 &set->allocator[a], plan->rounds);
}

static uint32_t *shuffled(struct prng *r, size_t n)
{
	uint32_t *order = xcalloc(n, sizeof(*order));

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	prng_shuffle(r, order, (uint32_t)n);
	return order;
}

typedef void run_fn(struct set *set, struct cell *cell, const struct plan *plan, unsigned round);

/* fn on every cell: groups of a task shuffled, allocators within a group shuffled. */
static void each_cell(struct set *set, const struct plan *plan, struct prng *r, unsigned round,
		      run_fn *fn)
{
	size_t width = set->allocators, groups = set->cells / width;
	uint32_t *group = shuffled(r, groups);

	for (size_t g = 0; g < groups; g++) {
		uint32_t *member = shuffled(r, width);

		for (size_t m = 0; m < width; m++) {
			struct cell *c = &set->cell[group[g] * width + member[m]];

			if (child_interrupted())
				break;
			progress_step("%s, %s", c->task->name, c->allocator->name);
			fn(set, c, plan, round);
		}
		free(member);
	}
	free(group);
}

static struct child_options options_of(const struct cell *c, const struct plan *plan,
				       enum child_kind kind)
{
	return (struct child_options){
		.kind = kind, .scale = plan->scale, .timeout = plan->timeout, .idle = plan->idle,
		.interval = 0.02, .seed = plan->seed, .workdir = programs_directory(c->task),
	};
}

static bool gave_up(const struct cell *c)
{
	return cell_failure(c) != NULL;
}

/* A cell that failed once is not run again: its reason is known, and the time is better spent. */
static void run_throughput(struct set *set, struct cell *c, const struct plan *plan,
			   unsigned round)
{
	struct child_options o = options_of(c, plan, CHILD_THROUGHPUT);
	struct sample sample;

	(void)set;
	if (gave_up(c))
		return;
	child_run(c, &o, &sample);
	if (child_interrupted())
		return;
	if (round == 0 && sample.outcome == RUN_OK)
		return;
	c->sample[c->n++] = sample;
}

static void run_memory(struct set *set, struct cell *c, const struct plan *plan, unsigned round)
{
	struct child_options o = options_of(c, plan, CHILD_MEMORY);
	struct sample sample;

	(void)set;
	(void)round;
	if (!(c->task->flags & T_IDLE))
		o.idle = 0;
	o.timeout += o.idle;
	if (!gave_up(c))
		child_run(c, &o, &sample);
}

static void run_latency(struct set *set, struct cell *c, const struct plan *plan, unsigned round)
{
	struct child_options o = options_of(c, plan, CHILD_LATENCY);
	struct sample sample;

	(void)set;
	(void)round;
	if (!gave_up(c) && !(c->task->flags & T_NOLAT))
		child_run(c, &o, &sample);
}

static void run_instructions(struct set *set, struct cell *c, const struct plan *plan,
			     unsigned round)
{
	(void)set;
	(void)round;
	instructions_measure(c, plan);
}

void schedule_run(struct set *set, const struct plan *plan)
{
	size_t passes = plan->rounds + 1u + plan->memory + plan->latency +
			plan->instructions;
	struct prng r;

	child_catch_signals();
	prng_seed(&r, plan->seed);
	make_grid(set, plan);
	set->scale = plan->scale;
	set->rounds = plan->rounds;
	programs_prepare(set);
	progress_begin(set->cells * passes);
	for (unsigned round = 0; round <= plan->rounds; round++)
		each_cell(set, plan, &r, round, run_throughput);
	if (plan->memory)
		each_cell(set, plan, &r, 0, run_memory);
	if (plan->latency)
		each_cell(set, plan, &r, 0, run_latency);
	if (plan->instructions)
		each_cell(set, plan, &r, 0, run_instructions);
	progress_end();
	programs_clean(set);
}
