/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: the table of a set as text.
 *
 * The first allocator's column has absolute figures, the others their ratio to it: below 1 is
 * better. On a terminal the row's best is bold and failures are red; "~" marks a ratio whose
 * confidence interval includes 1, and every failed cell is named below the table.
 */
#include "driver/terminal.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 20, COLUMN = 12, MOST_LATENCIES = 16 };

struct style {
	const char *bold, *red, *plain;
};

static struct style style_of(FILE *out)
{
	if (isatty(fileno(out)))
		return (struct style){ "\033[1m", "\033[31m", "\033[0m" };
	return (struct style){ "", "", "" };
}

/* printf counts bytes, a reader sees characters: "µs" is one byte longer than it looks. */
static void put_right(FILE *out, const char *text)
{
	int width = 0;

	for (const char *c = text; *c; c++)
		width += ((unsigned char)*c & 0xc0) != 0x80;
	fprintf(out, "%*s%s", COLUMN > width ? COLUMN - width : 1, "", text);
}

static void put_figure(FILE *out, const struct table *t, const struct row *r, size_t a)
{
	const struct figure *f = &r->figure[a];
	struct style s = style_of(out);
	char text[64];

	if (f->failure)
		snprintf(text, sizeof(text), "%s", outcome_name[f->failure->outcome]);
	else if (a == 0 || isnan(f->vs_base.value))
		metric_format(text, sizeof(text), r->task, t->metric, f->median);
	else
		snprintf(text, sizeof(text), "%s%.2f",
			 stats_differs(&f->vs_base, ANALYSIS_MARGIN) ? "" : "~", f->vs_base.value);
	if (f->failure)
		fputs(f->failure->outcome == RUN_SKIP ? "" : s.red, out);
	else
		fputs(a == r->best ? s.bold : "", out);
	put_right(out, text);
	fputs(s.plain, out);
}

static void put_row(FILE *out, const struct table *t, const struct row *r)
{
	char name[64];

	if (r->task->flags & T_THREADS)
		snprintf(name, sizeof(name), "%s @%u", r->task->name, r->threads);
	else
		snprintf(name, sizeof(name), "%s", r->task->name);
	fprintf(out, "%-*s", NAME, name);
	for (size_t a = 0; a < t->set->allocators; a++)
		put_figure(out, t, r, a);
	fputc('\n', out);
}

static void put_means(FILE *out, const struct table *t)
{
	fprintf(out, "%-*s", NAME, "geometric mean");
	for (size_t a = 0; a < t->set->allocators; a++) {
		char text[64];

		snprintf(text, sizeof(text), t->counted[a] == t->countable ? "%.2f" : "%.2f (%zu)",
			 t->geomean[a], t->counted[a]);
		put_right(out, text);
	}
	fputc('\n', out);
}

void terminal_print(FILE *out, const struct set *set, enum metric metric)
{
	struct table *t = table_make(set, metric);

	fprintf(out, "\n%s, ratio to %s (lower is better; ~ within noise)\n",
		metric_title[metric], set->allocators ? set->allocator[0].name : "");
	fprintf(out, "%-*s", NAME, "");
	for (size_t a = 0; a < set->allocators; a++)
		put_right(out, set->allocator[a].name);
	fputc('\n', out);
	for (size_t i = 0; i < t->rows; i++)
		put_row(out, t, &t->row[i]);
	put_means(out, t);
	table_free(t);
}

void terminal_failures(FILE *out, const struct set *set)
{
	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];
		const struct sample *f = cell_failure(c);

		if (f)
			fprintf(out, "%s, %s: %s: %s\n", c->task->name, c->allocator->name,
				outcome_name[f->outcome], f->why);
	}
}

static void put_kib(FILE *out, double kib)
{
	if (kib < 0)
		fprintf(out, "         –");
	else
		fprintf(out, "%10.0f", kib);
}

static bool has_memory(const struct cell *c)
{
	return c->memory.n && c->memory.idle1 >= 0;
}

static void put_memory(FILE *out, const struct cell *c)
{
	if (!has_memory(c))
		return;
	fprintf(out, "%-18s %-14s", c->task->name, c->allocator->name);
	put_kib(out, c->memory.peak);
	put_kib(out, c->memory.idle1);
	put_kib(out, c->memory.idle10);
	fprintf(out, "%12.0f\n", c->memory.integral);
}

static void put_latency(FILE *out, const struct cell *c)
{
	for (int i = 0; i < LATENCY_CALLS; i++) {
		const struct hist *h = c->latency[i];

		if (h && h->total)
			fprintf(out, "%-18s %-14s %-15s %8llu %8llu %8llu %10llu\n",
				c->task->name, c->allocator->name, latency_name[i],
				(unsigned long long)hist_quantile(h, 0.5),
				(unsigned long long)hist_quantile(h, 0.99),
				(unsigned long long)hist_quantile(h, 0.999),
				(unsigned long long)h->max);
	}
}

static bool has_latency(const struct cell *c)
{
	for (int k = 0; k < LATENCY_CALLS; k++)
		if (c->latency[k])
			return true;
	return false;
}

static size_t count_cells(const struct set *set, bool (*has)(const struct cell *))
{
	size_t n = 0;

	for (size_t i = 0; i < set->cells; i++)
		n += has(&set->cell[i]);
	return n;
}

static void put_memories(FILE *out, const struct set *set)
{
	if (count_cells(set, has_memory) == 0)
		return;
	fprintf(out, "\nmemory over time, KiB\n%-18s %-14s%10s%10s%10s%12s\n", "", "", "peak",
		"idle 1 s", "idle 10 s", "KiB × s");
	for (size_t i = 0; i < set->cells; i++)
		put_memory(out, &set->cell[i]);
}

static void put_latencies(FILE *out, const struct set *set)
{
	size_t n = count_cells(set, has_latency);

	if (n == 0)
		return;
	if (n > MOST_LATENCIES) {
		fprintf(out, "\nlatencies of %zu cells: see the report (--output)\n", n);
		return;
	}
	fprintf(out, "\nlatency of single calls, ns\n%-18s %-14s %-15s %8s %8s %8s %10s\n", "",
		"", "", "p50", "p99", "p99.9", "max");
	for (size_t i = 0; i < set->cells; i++)
		put_latency(out, &set->cell[i]);
}

static bool has_instructions(const struct cell *c)
{
	return c->instructions >= 0;
}

static void put_instructions(FILE *out, const struct set *set)
{
	if (count_cells(set, has_instructions) == 0)
		return;
	fprintf(out, "\ninstructions an operation\n");
	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];

		if (has_instructions(c))
			fprintf(out, "%-18s %-14s %8.1f\n", c->task->name, c->allocator->name,
				c->instructions);
	}
}

void terminal_passes(FILE *out, const struct set *set)
{
	put_memories(out, set);
	put_latencies(out, set);
	put_instructions(out, set);
}
