/* SPDX-License-Identifier: MIT */
/* schedule.h: carries out all runs of a set. */
#ifndef KB_SCHEDULE_H
#define KB_SCHEDULE_H

#include "driver/model.h"

struct plan {
	unsigned threads[MAX_THREAD_COUNTS];
	size_t thread_counts;
	unsigned rounds;	/* counted ones; one more goes before as warm-up */
	double scale;
	double timeout;		/* s, one run */
	bool memory;		/* a pass for the memory time line, idling at the end */
	double idle;		/* s */
	bool latency;		/* a pass for latencies */
	bool instructions;	/* a pass under callgrind */
	unsigned long seed;
};

/* Makes the grid of cells and fills it. */
void schedule_run(struct set *set, const struct plan *plan);

#endif
