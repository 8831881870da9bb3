/* SPDX-License-Identifier: MIT */
/*
 * model.h: what the driver knows: allocators, tasks, and the grid of cells between them.
 *
 * A cell is one task with one number of threads under one allocator; it has a sample for each
 * round, and what the separate passes found: a memory time line, latencies, instructions.
 * A set is one execution of `kmalloc-bench run`, and what store.c writes and reads.
 */
#ifndef KB_MODEL_H
#define KB_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hist.h"

enum { MAX_THREAD_COUNTS = 16, LATENCY_CALLS = 5, WHY_SIZE = 200 };

struct allocator {
	char *name;
	char *path;		/* NULL: the C library's own */
	char *env;		/* "NAME=VALUE" for the child, or NULL */
	char *version;		/* package and version, as far as known */
	char *build_id;
};

/* Flags of a task: those of worker/work.h, and: */
enum {
	T_QUICK = 1, T_THREADS = 2, T_VALUE = 4, T_NOLAT = 8, T_IDLE = 16,
	T_WALL = 32,
	T_PROGRAM = 256, T_TRACE = 512,
};

struct task {
	char *name;
	char *family;
	char *unit;
	char *what;
	char *file;		/* script of a program, or trace */
	unsigned flags;
};

enum outcome { RUN_OK, RUN_SKIP, RUN_WRONG, RUN_CRASH, RUN_TIMEOUT, RUN_UNBOUND, N_OUTCOMES };

struct point {
	double t;				/* seconds since the run began */
	double rss, dirty, lazy, huge;		/* KiB */
	double live;				/* KiB requested and not freed; < 0: unknown */
};

struct timeline {
	struct point *point;
	size_t n;
	double load, idle;	/* when the load began and stopped; idle < 0: never */
	double peak, integral;	/* KiB; KiB × s over the load */
	double idle1, idle10;	/* KiB held 1 s and 10 s after the load stopped; < 0: unknown */
};

struct sample {
	enum outcome outcome;
	char why[WHY_SIZE];
	double wall, user, sys;			/* s, the whole process */
	double work_wall, work_cpu, ops;	/* s and operations of the timed part */
	double op_ns, op_min_ns;		/* wall per operation: median and best slice */
	double minflt, majflt, nvcsw, nivcsw;
	double peak;				/* KiB */
	double live;				/* bytes */
	double value;				/* of a T_VALUE task */
};

struct cell {
	const struct task *task;
	const struct allocator *allocator;
	unsigned threads;
	struct sample *sample;
	size_t n;
	struct timeline memory;
	struct hist *latency[LATENCY_CALLS];
	double instructions;			/* an operation; < 0: not measured */
};

struct set {
	struct allocator *allocator;
	size_t allocators;
	struct task *task;
	size_t tasks;
	struct cell *cell;	/* grouped by task, then threads, then allocator */
	size_t cells;
	double scale;
	unsigned rounds;
	json_t *provenance;
};

extern const char *const outcome_name[N_OUTCOMES];
extern const char *const latency_name[LATENCY_CALLS];

void set_free(struct set *set);
struct task *set_task(const struct set *set, const char *name);
struct cell *set_cell(const struct set *set, const char *task, unsigned threads,
		      const char *allocator);
/* The first sample that did not end well, or NULL. */
const struct sample *cell_failure(const struct cell *cell);

#endif
