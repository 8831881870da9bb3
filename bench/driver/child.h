/* SPDX-License-Identifier: MIT */
/* child.h: one run of one cell in a child process. */
#ifndef KB_CHILD_H
#define KB_CHILD_H

#include "driver/model.h"

enum child_kind { CHILD_THROUGHPUT, CHILD_MEMORY, CHILD_LATENCY, CHILD_INSTRUCTIONS };

struct child_options {
	enum child_kind kind;
	double scale;
	double timeout;		/* s */
	double idle;		/* s of idling after the load (CHILD_MEMORY) */
	double interval;	/* s between memory samples (CHILD_MEMORY) */
	unsigned long seed;
	const char *workdir;	/* prepared input of a program; callgrind's output file */
};

/* Fills *sample, and cell->memory or cell->latency in the passes that are for them. */
void child_run(struct cell *cell, const struct child_options *o, struct sample *sample);

/*
 * From now on SIGINT and SIGTERM end the run that is under way, and child_interrupted() says so:
 * what was measured before is still reported, and temporary files are removed.
 */
void child_catch_signals(void);
bool child_interrupted(void);

#endif
