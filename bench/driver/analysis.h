/* SPDX-License-Identifier: MIT */
/* analysis.h: from samples to the figures that reports show. */
#ifndef KB_ANALYSIS_H
#define KB_ANALYSIS_H

#include "driver/model.h"
#include "driver/stats.h"

enum metric { METRIC_TIME, METRIC_CPU, METRIC_WALL, METRIC_PEAK, METRIC_FAULTS, N_METRICS };

struct figure {
	const struct cell *cell;
	const struct sample *failure;	/* why there is no figure; NULL: there is one */
	double median, spread;
	struct interval vs_base, vs_best;
};

struct row {
	const struct task *task;
	unsigned threads;
	struct figure *figure;		/* one for each allocator */
	size_t best;			/* index of the lowest median; allocators if none */
};

struct table {
	const struct set *set;
	enum metric metric;
	struct row *row;
	size_t rows;
	double *geomean;		/* of the ratio to the first allocator, for each */
	size_t *counted;		/* rows that this mean is over */
	size_t countable;		/* rows that it could have been over */
};

/* Differences below this are not worth a colour, whatever the interval says. */
#define ANALYSIS_MARGIN	0.01

extern const char *const metric_name[N_METRICS];
extern const char *const metric_title[N_METRICS];

double metric_of(const struct task *task, const struct sample *sample, enum metric metric);
struct table *table_make(const struct set *set, enum metric metric);
void table_free(struct table *table);

/* "12.3 ns", "4.5 MiB", "812": a value of this metric as people read it. */
void metric_format(char *out, size_t size, const struct task *task, enum metric metric, double v);

#endif
