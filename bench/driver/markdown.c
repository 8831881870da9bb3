/* SPDX-License-Identifier: MIT */
/*
 * markdown.c: the figures of a set as Markdown: what was run where, the tables of time and peak
 * memory, memory after the load, failures. bench/RESULTS.md is this file's output, unedited but
 * for the remarks below it.
 */
#include "driver/markdown.h"

#include <math.h>
#include <string.h>

#include "driver/analysis.h"

static void put_field(FILE *out, const struct set *set, const char *key)
{
	const json_t *v = json_object_get(set->provenance, key);

	if (json_is_string(v))
		fprintf(out, "| %s | %s |\n", key, json_string_value(v));
	else if (json_is_integer(v))
		fprintf(out, "| %s | %lld |\n", key, (long long)json_integer_value(v));
	else if (json_is_real(v))
		fprintf(out, "| %s | %g |\n", key, json_real_value(v));
}

static void put_provenance(FILE *out, const struct set *set)
{
	static const char *const keys[] = {
		"command", "time", "cpu", "processors", "memory", "kernel", "system", "huge_pages",
		"overcommit", "compiler", "rounds", "scale",
	};

	fputs("| | |\n|---|---|\n", out);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put_field(out, set, keys[i]);
	if (json_is_true(json_object_get(set->provenance, "virtual")))
		fputs("| virtual machine | yes |\n", out);
	for (size_t i = 0; i < set->allocators; i++)
		fprintf(out, "| %s | %s, build ID %.12s |\n", set->allocator[i].name,
			set->allocator[i].version ? set->allocator[i].version : "this build",
			set->allocator[i].build_id ? set->allocator[i].build_id : "none");
}

static void put_head(FILE *out, const struct set *set)
{
	fputs("\n| |", out);
	for (size_t a = 0; a < set->allocators; a++)
		fprintf(out, " %s |", set->allocator[a].name);
	fputs("\n|---|", out);
	for (size_t a = 0; a < set->allocators; a++)
		fputs("---:|", out);
	fputc('\n', out);
}

static void put_figure(FILE *out, const struct table *t, const struct row *r, size_t a)
{
	const struct figure *f = &r->figure[a];
	const char *strong = a == r->best ? "**" : "";
	char text[64];

	if (f->failure) {
		fprintf(out, " *%s* |", outcome_name[f->failure->outcome]);
		return;
	}
	metric_format(text, sizeof(text), r->task, t->metric, f->median);
	if (a == 0 || isnan(f->vs_base.value))
		fprintf(out, " %s%s%s |", strong, text, strong);
	else
		fprintf(out, " %s%s%.2f%s |", strong,
			stats_differs(&f->vs_base, ANALYSIS_MARGIN) ? "" : "~", f->vs_base.value,
			strong);
}

static void put_table(FILE *out, const struct set *set, enum metric metric)
{
	struct table *t = table_make(set, metric);

	fprintf(out, "\n## %c%s\n", metric_title[metric][0] - 'a' + 'A', metric_title[metric] + 1);
	put_head(out, set);
	for (size_t i = 0; i < t->rows; i++) {
		const struct row *r = &t->row[i];

		fprintf(out, "| %s", r->task->name);
		if (r->task->flags & T_THREADS)
			fprintf(out, " @%u", r->threads);
		fputs(" |", out);
		for (size_t a = 0; a < set->allocators; a++)
			put_figure(out, t, r, a);
		fputc('\n', out);
	}
	fputs("| **geometric mean** |", out);
	for (size_t a = 0; a < set->allocators; a++) {
		fprintf(out, " **%.2f**", t->geomean[a]);
		if (t->counted[a] != t->countable)
			fprintf(out, " (%zu of %zu)", t->counted[a], t->countable);
		fputs(" |", out);
	}
	fputc('\n', out);
	table_free(t);
}

static bool any_idle(const struct set *set)
{
	for (size_t i = 0; i < set->cells; i++)
		if (set->cell[i].memory.idle1 >= 0)
			return true;
	return false;
}

static void put_mib(FILE *out, double kib)
{
	if (kib >= 0)
		fprintf(out, " %.1f |", kib / 1024);
	else
		fputs(" – |", out);
}

static void put_idle(FILE *out, const struct set *set)
{
	if (!any_idle(set))
		return;
	fputs("\n## Memory after the load, process idle (MiB)\n\n"
	      "| workload | allocator | peak | after 1 s | after 10 s |\n"
	      "|---|---|---:|---:|---:|\n", out);
	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];

		if (c->memory.idle1 < 0)
			continue;
		fprintf(out, "| %s | %s |", c->task->name, c->allocator->name);
		put_mib(out, c->memory.peak);
		put_mib(out, c->memory.idle1);
		put_mib(out, c->memory.idle10);
		fputc('\n', out);
	}
}

static void put_failures(FILE *out, const struct set *set)
{
	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];
		const struct sample *f = cell_failure(c);

		if (f)
			fprintf(out, "* %s, %s: %s: %s\n", c->task->name, c->allocator->name,
				outcome_name[f->outcome], f->why);
	}
}

void markdown_write(FILE *out, const struct set *set)
{
	fputs("# Results of kmalloc-bench\n\nThe first column is absolute, the others are ratios "
	      "to it: below 1 is better; the best of a\nrow is bold; ~ is within noise (95 % "
	      "confidence). Ratios of one machine on one day: what\ncounts is their direction. "
	      "Micro benchmarks: wall time of the median slice; the others:\nprocessor time.\n\n",
	      out);
	put_provenance(out, set);
	put_table(out, set, METRIC_TIME);
	put_table(out, set, METRIC_PEAK);
	put_idle(out, set);
	fputs("\n## Failed and skipped\n\n", out);
	put_failures(out, set);
}
