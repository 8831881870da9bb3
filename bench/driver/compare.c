/* SPDX-License-Identifier: MIT */
/*
 * compare.c: what changed between two sets beyond noise.
 *
 * Two sets were taken at different times, so the machine may have been faster or slower as a
 * whole. What is compared is therefore each allocator's ratio to the set's first allocator (glibc,
 * which did not change), where both sets have it; the first allocator itself is compared directly.
 * A change counts if its 95 % interval excludes 1 by a margin of 3 %: rounds of one execution vary
 * less than executions do. Rounds of different sets are not pairs: they are resampled apart.
 */
#include "driver/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/prng.h"
#include "driver/util.h"

enum { RESAMPLES = 2000 };

static const double margin = 0.03;

struct side {
	const struct cell *cell, *base;	/* base NULL: no normalising */
};

static double draw_median(const struct cell *c, enum metric m, struct prng *r)
{
	double v[64];
	size_t n = c->n < 64 ? c->n : 64;

	for (size_t i = 0; i < n; i++)
		v[i] = metric_of(c->task, &c->sample[prng_below(r, (uint32_t)c->n)], m);
	return stats_median(v, n);
}

static double draw(const struct side *s, enum metric m, struct prng *r)
{
	double v = draw_median(s->cell, m, r);

	return s->base ? v / draw_median(s->base, m, r) : v;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct interval change_of(const struct side *before, const struct side *after,
				 enum metric m)
{
	double *ratio = xcalloc(RESAMPLES, sizeof(*ratio));
	struct interval out;
	struct prng r;

	prng_seed(&r, 1);
	for (int i = 0; i < RESAMPLES; i++)
		ratio[i] = draw(after, m, &r) / draw(before, m, &r);
	qsort(ratio, RESAMPLES, sizeof(*ratio), by_value);
	out = (struct interval){ ratio[RESAMPLES / 2], ratio[RESAMPLES * 25 / 1000],
				 ratio[RESAMPLES * 975 / 1000 - 1] };
	free(ratio);
	return out;
}

static bool works(const struct cell *c)
{
	return c && c->n && !cell_failure(c);
}

static struct side side_of(const struct set *set, const struct cell *c)
{
	const char *first = set->allocator[0].name;
	struct side s = { c, NULL };

	if (strcmp(c->allocator->name, first))
		s.base = set_cell(set, c->task->name, c->threads, first);
	if (!works(s.base))
		s.base = NULL;
	return s;
}

static bool compare_cells(const struct set *before, const struct set *after,
			  struct change *change)
{
	struct side b = side_of(before, change->before), a = side_of(after, change->after);

	change->broke = works(b.cell) && !works(a.cell);
	change->mended = !works(b.cell) && works(a.cell);
	if (change->broke || change->mended)
		return change->metric == METRIC_TIME;
	if (!works(a.cell) || !works(b.cell))
		return false;
	if (!a.base || !b.base)
		a.base = b.base = NULL;
	change->ratio = change_of(&b, &a, change->metric);
	return stats_differs(&change->ratio, margin);
}

struct change *compare_sets(const struct set *before, const struct set *after,
			    enum metric metric, size_t *n)
{
	struct change *list = xcalloc(after->cells, sizeof(*list));

	*n = 0;
	for (size_t i = 0; i < after->cells; i++) {
		const struct cell *a = &after->cell[i];
		struct change c = { .after = a, .metric = metric };

		c.before = set_cell(before, a->task->name, a->threads, a->allocator->name);
		if (c.before && compare_cells(before, after, &c))
			list[(*n)++] = c;
	}
	return list;
}

static bool worse(const struct change *c)
{
	return c->broke || (!c->mended && c->ratio.value > 1);
}

static void print_change(FILE *out, const struct change *c)
{
	fprintf(out, "%-8s %-18s %-14s ", worse(c) ? "worse" : "better", c->after->task->name,
		c->after->allocator->name);
	if (c->broke)
		fprintf(out, "now fails: %s\n", cell_failure(c->after)->why);
	else if (c->mended)
		fprintf(out, "failed before, works now\n");
	else
		fprintf(out, "%s × %.3f (%.3f … %.3f)\n", metric_title[c->metric],
			c->ratio.value, c->ratio.low, c->ratio.high);
}

static size_t print_metric(FILE *out, const struct set *before, const struct set *after,
			   enum metric m, size_t *changes)
{
	size_t n, bad = 0;
	struct change *list = compare_sets(before, after, m, &n);

	for (size_t i = 0; i < n; i++) {
		print_change(out, &list[i]);
		bad += worse(&list[i]);
	}
	*changes += n;
	free(list);
	return bad;
}

static void print_only_in(FILE *out, const struct set *a, const struct set *b, const char *which)
{
	for (size_t i = 0; i < a->cells; i++) {
		const struct cell *c = &a->cell[i];

		if (!set_cell(b, c->task->name, c->threads, c->allocator->name))
			fprintf(out, "%-8s %-18s %s\n", which, c->task->name, c->allocator->name);
	}
}

/* Two sets of different scale or machine can be compared, but the reader must know. */
static void print_warnings(FILE *out, const struct set *before, const struct set *after)
{
	static const char *const keys[] = { "cpu", "kernel", "huge_pages", "overcommit", "scale" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(json_object_get(before->provenance, keys[i]),
				json_object_get(after->provenance, keys[i])))
			fprintf(out, "note: the two results differ in %s\n", keys[i]);
}

size_t compare_print(FILE *out, const struct set *before, const struct set *after)
{
	size_t changes = 0, bad;

	print_warnings(out, before, after);
	bad = print_metric(out, before, after, METRIC_TIME, &changes);
	bad += print_metric(out, before, after, METRIC_PEAK, &changes);
	print_only_in(out, before, after, "gone");
	print_only_in(out, after, before, "new");
	fprintf(out, "%zu changes beyond noise, %zu for the worse\n", changes, bad);
	return bad;
}
