/* SPDX-License-Identifier: MIT */
/*
 * analysis.c: from samples to the figures that reports show.
 *
 * The time of a row is what its family is about: wall time of the median slice for the
 * micro benchmarks, processor time (user and system, all threads) an operation for everything
 * else, because threads that sleep on a lock cost wall time and threads that spin cost processor
 * time, and only the second is comparable on a machine that others use too; METRIC_WALL is there
 * for the first. All ratios are to the first allocator (glibc) and to the row's best; lower is
 * better. A cell with a failed run has no figure, and the geometric means say over how many rows
 * they are, so that a failure never makes an allocator look good.
 */
#include "driver/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "driver/util.h"

const char *const metric_name[N_METRICS] = { "time", "cpu", "wall", "peak", "faults" };
const char *const metric_title[N_METRICS] = {
	"time an operation", "processor time an operation", "wall time an operation",
	"peak resident memory", "page faults",
};

static double per_operation(double seconds, const struct sample *s)
{
	return seconds * 1e9 / (s->ops > 0 ? s->ops : 1);
}

double metric_of(const struct task *task, const struct sample *s, enum metric metric)
{
	switch (metric) {
	case METRIC_TIME:
		if (task->flags & T_VALUE)
			return s->value;
		if (task->flags & T_WALL || !strcmp(task->family, "micro"))
			return s->op_ns;
		return per_operation(s->work_cpu, s);
	case METRIC_CPU:
		return per_operation(s->work_cpu, s);
	case METRIC_WALL:
		return per_operation(s->work_wall, s);
	case METRIC_PEAK:
		return s->peak;
	default:
		return s->minflt + s->majflt;
	}
}

static double *values(const struct cell *c, enum metric metric)
{
	double *v = xcalloc(c->n, sizeof(*v));

	for (size_t i = 0; i < c->n; i++)
		v[i] = metric_of(c->task, &c->sample[i], metric);
	return v;
}

static const struct sample no_sample = { .outcome = RUN_SKIP, .why = "not run" };

static void measure(struct figure *f, const struct cell *c, enum metric metric)
{
	double *v = values(c, metric);

	f->cell = c;
	f->failure = c->n ? cell_failure(c) : &no_sample;
	f->median = stats_median(v, c->n);
	f->spread = stats_spread(v, c->n);
	free(v);
}

static struct interval ratio(const struct figure *a, const struct figure *b, enum metric metric)
{
	struct interval none = { NAN, NAN, NAN };
	size_t n = a->cell->n < b->cell->n ? a->cell->n : b->cell->n;
	double *va, *vb;

	if (a->failure || b->failure || b->median <= 0)
		return none;
	va = values(a->cell, metric);
	vb = values(b->cell, metric);
	none = stats_ratio(va, vb, n, 1);
	free(va);
	free(vb);
	return none;
}

static size_t best_of(const struct row *r, size_t n)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (!r->figure[i].failure &&
		    (best == n || r->figure[i].median < r->figure[best].median))
			best = i;
	return best;
}

static void make_row(struct row *r, const struct cell *cells, size_t n, enum metric metric)
{
	r->task = cells->task;
	r->threads = cells->threads;
	r->figure = xcalloc(n, sizeof(*r->figure));
	for (size_t i = 0; i < n; i++)
		measure(&r->figure[i], &cells[i], metric);
	r->best = best_of(r, n);
	for (size_t i = 0; i < n; i++) {
		struct figure *f = &r->figure[i];

		f->vs_base = ratio(f, &r->figure[0], metric);
		f->vs_best = r->best < n ? ratio(f, &r->figure[r->best], metric) : f->vs_base;
	}
}

/*
 * Rows whose value is no time say nothing about time; where the first allocator has no figure
 * there is nothing to be a ratio to.
 */
static bool counts(const struct row *r, enum metric metric)
{
	if (r->figure[0].failure)
		return false;
	return metric > METRIC_WALL || !(r->task->flags & T_VALUE);
}

static void make_mean(struct table *t, size_t allocator)
{
	double *v = xcalloc(t->rows, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < t->rows; i++) {
		double x = t->row[i].figure[allocator].vs_base.value;

		if (counts(&t->row[i], t->metric) && x > 0)
			v[n++] = x;
	}
	t->geomean[allocator] = stats_geomean(v, n);
	t->counted[allocator] = n;
	free(v);
}

struct table *table_make(const struct set *set, enum metric metric)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->set = set;
	t->metric = metric;
	t->rows = set->allocators ? set->cells / set->allocators : 0;
	t->row = xcalloc(t->rows, sizeof(*t->row));
	t->geomean = xcalloc(set->allocators, sizeof(*t->geomean));
	t->counted = xcalloc(set->allocators, sizeof(*t->counted));
	for (size_t i = 0; i < t->rows; i++) {
		make_row(&t->row[i], &set->cell[i * set->allocators], set->allocators, metric);
		t->countable += counts(&t->row[i], metric);
	}
	for (size_t a = 0; a < set->allocators; a++)
		make_mean(t, a);
	return t;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->rows; i++)
		free(t->row[i].figure);
	free(t->row);
	free(t->geomean);
	free(t->counted);
	free(t);
}

static void format_scaled(char *out, size_t size, double v, const char *const *units, double step)
{
	int i = 0;

	while (v >= step && units[i + 1]) {
		v /= step;
		i++;
	}
	snprintf(out, size, "%.*f %s", v < 10 ? 2 : v < 100 ? 1 : 0, v, units[i]);
}

void metric_format(char *out, size_t size, const struct task *task, enum metric metric, double v)
{
	static const char *const time_units[] = { "ns", "µs", "ms", "s", NULL };
	static const char *const memory_units[] = { "KiB", "MiB", "GiB", NULL };

	if (metric == METRIC_FAULTS)
		snprintf(out, size, "%.0f", v);
	else if (metric == METRIC_PEAK || (task->flags & T_VALUE && metric == METRIC_TIME))
		format_scaled(out, size, v, memory_units, 1024);
	else
		format_scaled(out, size, v, time_units, 1000);
}
