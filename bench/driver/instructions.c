/* SPDX-License-Identifier: MIT */
/*
 * instructions.c: instructions an operation, counted by valgrind's callgrind.
 *
 * A workload runs twice, with work in the proportion of 1 to 3. The difference of the two counts
 * divided by the difference of the operations is the cost of an operation in steady state: process
 * start, set-up and first use cancel. The workload's own loop is in it, the same for every
 * allocator. Counts do not vary with the load of the machine, so one pair of runs is enough; they
 * say nothing about caches.
 */
#include "driver/instructions.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/child.h"
#include "driver/util.h"

static const double small_scale = 0.1, large_scale = 0.3;

struct count {
	double instructions, ops;
};

/* The line "summary: N" of a callgrind output file. */
static double read_summary(const char *path)
{
	char *text = read_text(path);
	double n = text_field(text, "\nsummary:");

	if (n < 0)
		n = text_field(text, "\ntotals:");
	free(text);
	return n;
}

static int count_once(struct cell *cell, const struct plan *plan, double scale,
		      struct count *count)
{
	char *path = xprintf("%s/kmalloc-bench.XXXXXX", temp_directory());
	int fd = mkstemp(path);
	struct child_options o = {
		.kind = CHILD_INSTRUCTIONS, .scale = scale, .timeout = plan->timeout * 5,
		.seed = plan->seed, .workdir = path,
	};
	struct sample sample;

	if (fd < 0)
		fatal("cannot make %s", path);
	close(fd);
	child_run(cell, &o, &sample);
	*count = (struct count){ read_summary(path), sample.ops };
	unlink(path);
	free(path);
	return sample.outcome == RUN_OK && count->instructions > 0 ? 0 : -1;
}

static bool measurable(const struct cell *c)
{
	return !(c->task->flags & (T_PROGRAM | T_TRACE | T_VALUE | T_THREADS | T_NOLAT)) &&
	       !cell_failure(c);
}

void instructions_measure(struct cell *cell, const struct plan *plan)
{
	struct count small, large;

	if (!measurable(cell) || count_once(cell, plan, small_scale, &small) ||
	    count_once(cell, plan, large_scale, &large) || large.ops <= small.ops)
		return;
	cell->instructions = (large.instructions - small.instructions) / (large.ops - small.ops);
}
