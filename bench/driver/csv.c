/* SPDX-License-Identifier: MIT */
/*
 * csv.c: the figures of a set as comma separated values (RFC 4180), a line for each cell, for
 * spreadsheets and statistics programs. Missing figures are empty, failures are in words.
 */
#include "driver/csv.h"

#include <math.h>

#include "driver/analysis.h"

static void put_text(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, double v)
{
	fputc(',', out);
	if (!isnan(v) && v >= 0)
		fprintf(out, "%.6g", v);
}

static void put_metric(FILE *out, const struct figure *f)
{
	put_number(out, f->failure ? NAN : f->median);
	put_number(out, f->failure ? NAN : f->spread);
	put_number(out, f->vs_base.value);
	put_number(out, f->vs_base.low);
	put_number(out, f->vs_base.high);
	put_number(out, f->vs_best.value);
}

static void put_latency(FILE *out, const struct hist *h)
{
	put_number(out, h ? (double)hist_quantile(h, 0.5) : NAN);
	put_number(out, h ? (double)hist_quantile(h, 0.99) : NAN);
	put_number(out, h ? (double)hist_quantile(h, 0.999) : NAN);
	put_number(out, h ? (double)h->max : NAN);
}

static void put_head(FILE *out)
{
	fputs("workload,family,unit,threads,allocator,outcome,why,rounds", out);
	for (int m = 0; m < N_METRICS; m++)
		fprintf(out, ",%s,%s_spread,%s_ratio,%s_ratio_low,%s_ratio_high,%s_to_best",
			metric_name[m], metric_name[m], metric_name[m], metric_name[m],
			metric_name[m], metric_name[m]);
	fputs(",mem_peak,mem_integral,mem_idle_1s,mem_idle_10s", out);
	fputs(",malloc_p50,malloc_p99,malloc_p999,malloc_max", out);
	fputs(",free_p50,free_p99,free_p999,free_max,instructions\n", out);
}

static void put_cell(FILE *out, struct table *const *t, size_t row, size_t a)
{
	const struct figure *f = &t[0]->row[row].figure[a];
	const struct cell *c = f->cell;

	put_text(out, c->task->name);
	fprintf(out, ",%s,%s,%u,", c->task->family, c->task->unit, c->threads);
	put_text(out, c->allocator->name);
	fprintf(out, ",%s,", outcome_name[f->failure ? f->failure->outcome : RUN_OK]);
	put_text(out, f->failure ? f->failure->why : "");
	fprintf(out, ",%zu", c->n);
	for (int m = 0; m < N_METRICS; m++)
		put_metric(out, &t[m]->row[row].figure[a]);
	put_number(out, c->memory.n ? c->memory.peak : NAN);
	put_number(out, c->memory.n ? c->memory.integral : NAN);
	put_number(out, c->memory.idle1);
	put_number(out, c->memory.idle10);
	put_latency(out, c->latency[0]);
	put_latency(out, c->latency[LATENCY_CALLS - 1]);
	put_number(out, c->instructions);
	fputc('\n', out);
}

void csv_write(FILE *out, const struct set *set)
{
	struct table *t[N_METRICS];

	for (int m = 0; m < N_METRICS; m++)
		t[m] = table_make(set, (enum metric)m);
	put_head(out);
	for (size_t row = 0; row < t[0]->rows; row++)
		for (size_t a = 0; a < set->allocators; a++)
			put_cell(out, t, row, a);
	for (int m = 0; m < N_METRICS; m++)
		table_free(t[m]);
}
