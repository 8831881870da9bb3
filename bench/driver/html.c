/* SPDX-License-Identifier: MIT */
/*
 * html.c: the report of a set as one self-contained page: no script, no font, nothing fetched.
 *
 * The style sheet sets the colours of text and axes inside the plots as well, so that the page
 * follows the reader's light or dark theme and prints in black on white. Everything that a plot
 * shows stands in a table too.
 */
#include "driver/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "driver/analysis.h"
#include "driver/plot.h"

static const char style[] =
	":root{--ink:#1d1d1f;--paper:#fff;--soft:#6b6b70;--line:#d6d6da;--good:#0a7a3d;"
	"--bad:#b3261e;--wash:#f5f5f7}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#ececf0;--paper:#17181b;--soft:#a0a0a8;"
	"--line:#3a3b40;--good:#58c98b;--bad:#ff8a80;--wash:#212226}}\n"
	"@media print{:root{--ink:#000;--paper:#fff;--soft:#444;--line:#aaa;--good:#000;"
	"--bad:#000;--wash:#fff}section{break-inside:avoid}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:62rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid "
	"var(--line)}h3{font-size:1rem;margin:1.5rem 0 .3rem}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.88rem}\n"
	"th,td{padding:.22rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
	"white-space:nowrap}th:first-child,td:first-child{text-align:left}\n"
	"thead th{background:var(--wash)}.wide{overflow-x:auto}\n"
	".best{font-weight:700}.good{color:var(--good)}.bad{color:var(--bad)}.noise,.ci,small"
	"{color:var(--soft)}.ci{font-size:.78rem}.fail{color:var(--bad);font-style:italic}\n"
	".mark{display:inline-block;width:.7em;height:.7em;border-radius:50%;margin-right:.4em}\n"
	"svg{max-width:100%;height:auto}svg text{fill:var(--ink)}"
	"svg [color=black]{color:var(--soft)}svg rect[fill='#ffffff']{fill:none}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;font-size:.9rem}"
	"dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n";

static void put(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(*text, out);
		}
	}
}

static void put_plot(FILE *out, const char *title, char *svg)
{
	if (!svg)
		return;
	fputs("<section>", out);
	if (title) {
		fputs("<h3>", out);
		put(out, title);
		fputs("</h3>", out);
	}
	fprintf(out, "<figure style=\"margin:0\">%s</figure></section>\n", svg);
	free(svg);
}

static void put_json_value(FILE *out, const json_t *v)
{
	char *text;

	if (json_is_string(v)) {
		put(out, json_string_value(v));
		return;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	put(out, text ? text : "");
	free(text);
}

static void put_provenance(FILE *out, const struct set *set)
{
	const char *key;
	json_t *v;

	fputs("<h2 id=\"where\">Where and how</h2>\n<dl>\n", out);
	json_object_foreach(set->provenance, key, v) {
		if (json_is_null(v))
			continue;
		fprintf(out, "<dt>%s</dt><dd>", key);
		put_json_value(out, v);
		fputs("</dd>\n", out);
	}
	fputs("</dl>\n<h3>Allocators</h3>\n<div class=\"wide\"><table><thead><tr><th>name</th>"
	      "<th>version</th><th>build ID</th><th>file</th></tr></thead>\n", out);
	for (size_t i = 0; i < set->allocators; i++) {
		const struct allocator *a = &set->allocator[i];

		fprintf(out, "<tr><td><span class=\"mark\" style=\"background:%s\"></span>",
			plot_colour(set, i));
		put(out, a->name);
		fputs("</td><td>", out);
		put(out, a->version ? a->version : "–");
		fprintf(out, "</td><td><code>%.12s</code></td><td>",
			a->build_id ? a->build_id : "–");
		put(out, a->path ? a->path : "the C library");
		fprintf(out, "%s%s</td></tr>\n", a->env ? " " : "", a->env ? a->env : "");
	}
	fputs("</table></div>\n", out);
}

static const char *class_of(const struct interval *i)
{
	if (isnan(i->low) || !stats_differs(i, ANALYSIS_MARGIN))
		return "noise";
	return i->value < 1 ? "good" : "bad";
}

static void put_figure(FILE *out, const struct table *t, const struct row *r, size_t a)
{
	const struct figure *f = &r->figure[a];
	char text[64];

	if (f->failure) {
		fprintf(out, "<td class=\"%s\" title=\"",
			f->failure->outcome == RUN_SKIP ? "noise" : "fail");
		put(out, f->failure->why);
		fprintf(out, "\">%s</td>", outcome_name[f->failure->outcome]);
		return;
	}
	fprintf(out, "<td class=\"%s\">", a == r->best ? "best" : "");
	metric_format(text, sizeof(text), r->task, t->metric, f->median);
	if (a == 0 || isnan(f->vs_base.value)) {
		put(out, text);
		fprintf(out, " <span class=\"ci\">±%.0f %%</span>",
			f->median > 0 ? 100 * f->spread / f->median : 0);
	} else {
		fprintf(out, "<span class=\"%s\" title=\"%s\">%.2f</span> "
			"<span class=\"ci\">%.2f–%.2f</span>", class_of(&f->vs_base), text,
			f->vs_base.value, f->vs_base.low, f->vs_base.high);
	}
	fputs("</td>", out);
}

static void put_table_head(FILE *out, const struct set *set)
{
	fputs("<div class=\"wide\"><table><thead><tr><th></th>", out);
	for (size_t a = 0; a < set->allocators; a++) {
		fputs("<th>", out);
		put(out, set->allocator[a].name);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
}

static void put_row_name(FILE *out, const struct task *t, unsigned threads)
{
	fputs("<tr><td title=\"", out);
	put(out, t->what ? t->what : "");
	fputs("\">", out);
	put(out, t->name);
	if (t->flags & T_THREADS)
		fprintf(out, " <small>@%u</small>", threads);
	fputs("</td>", out);
}

static void put_table(FILE *out, const struct table *t)
{
	const struct set *set = t->set;

	put_table_head(out, set);
	for (size_t i = 0; i < t->rows; i++) {
		put_row_name(out, t->row[i].task, t->row[i].threads);
		for (size_t a = 0; a < set->allocators; a++)
			put_figure(out, t, &t->row[i], a);
		fputs("</tr>\n", out);
	}
	fputs("<tr><td><b>geometric mean</b></td>", out);
	for (size_t a = 0; a < set->allocators; a++) {
		fprintf(out, "<td><b>%.2f</b>", t->geomean[a]);
		if (t->counted[a] != t->countable)
			fprintf(out, " <small>over %zu of %zu</small>", t->counted[a],
				t->countable);
		fputs("</td>", out);
	}
	fputs("</tr></table></div>\n", out);
}

static void put_families(FILE *out, const struct table *t)
{
	static const char *const family[] = { "micro", "standard", "gap", "program", "trace" };
	char title[128];

	for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++) {
		snprintf(title, sizeof(title), "%s: %s", family[i], metric_title[t->metric]);
		put_plot(out, title, plot_family(t, family[i]));
	}
}

static void put_failures(FILE *out, const struct set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];
		const struct sample *f = cell_failure(c);

		if (!f)
			continue;
		if (!any)
			fputs("<h2>Failed and skipped</h2>\n<ul>\n", out);
		any = true;
		fputs("<li>", out);
		put(out, c->task->name);
		fputs(", ", out);
		put(out, c->allocator->name);
		fprintf(out, ": <span class=\"fail\">%s</span>: ", outcome_name[f->outcome]);
		put(out, f->why);
		fputs("</li>\n", out);
	}
	if (any)
		fputs("</ul>\n", out);
}

static void put_kib(FILE *out, double kib)
{
	if (kib < 0)
		fputs("<td>–</td>", out);
	else
		fprintf(out, "<td>%.1f</td>", kib / 1024);
}

static void put_memory_row(FILE *out, const struct cell *c)
{
	put_row_name(out, c->task, c->threads);
	fputs("<td>", out);
	put(out, c->allocator->name);
	fputs("</td>", out);
	put_kib(out, c->memory.peak);
	put_kib(out, c->memory.idle1);
	put_kib(out, c->memory.idle10);
	put_kib(out, c->memory.integral);
	fputs("</tr>\n", out);
}

static void put_memory(FILE *out, const struct set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->cells; i++)
		any |= set->cell[i].memory.n > 0;
	if (!any)
		return;
	fputs("<h2 id=\"time\">Memory over time</h2>\n<p>Resident memory, sampled every 20 ms in "
	      "runs of their own. Where the load stops, the process does nothing: what is given "
	      "back then is given back without being called.</p>\n", out);
	for (size_t row = 0; row < set->cells / set->allocators; row++) {
		const struct cell *c = &set->cell[row * set->allocators];

		put_plot(out, c->task->name, plot_memory(set, row));
	}
	fputs("<details><summary>Figures</summary><div class=\"wide\"><table><thead><tr><th></th>"
	      "<th>allocator</th><th>peak MiB</th><th>1 s idle</th><th>10 s idle</th>"
	      "<th>MiB × s</th></tr></thead>\n", out);
	for (size_t i = 0; i < set->cells; i++)
		if (set->cell[i].memory.n && set->cell[i].memory.idle1 >= 0)
			put_memory_row(out, &set->cell[i]);
	fputs("</table></div></details>\n", out);
}

static void put_latency_rows(FILE *out, const struct cell *c)
{
	for (int k = 0; k < LATENCY_CALLS; k++) {
		const struct hist *h = c->latency[k];

		if (!h || !h->total)
			continue;
		put_row_name(out, c->task, c->threads);
		fputs("<td>", out);
		put(out, c->allocator->name);
		fprintf(out, "</td><td>%s</td><td>%llu</td><td>%llu</td><td>%llu</td>"
			"<td>%llu</td></tr>\n", latency_name[k],
			(unsigned long long)hist_quantile(h, 0.5),
			(unsigned long long)hist_quantile(h, 0.99),
			(unsigned long long)hist_quantile(h, 0.999), (unsigned long long)h->max);
	}
}

static bool has_latency(const struct cell *c)
{
	for (int k = 0; k < LATENCY_CALLS; k++)
		if (c->latency[k])
			return true;
	return false;
}

static void put_latency_plots(FILE *out, const struct set *set, size_t row)
{
	const struct task *t = set->cell[row * set->allocators].task;
	char title[128];

	for (int k = 0; k < LATENCY_CALLS; k++) {
		snprintf(title, sizeof(title), "%s, %s", t->name, latency_name[k]);
		put_plot(out, title, plot_latency(set, row, k));
	}
}

static void put_latency(FILE *out, const struct set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->cells; i++)
		any |= has_latency(&set->cell[i]);
	if (!any)
		return;
	fputs("<h2 id=\"latency\">Latency of single calls</h2>\n<p>Each call timed, in runs of "
	      "their own, the cost of reading the clock taken off. What another process did in "
	      "the meantime is in the tail as well: compare allocators, not absolute values."
	      "</p>\n<details><summary>Curves</summary>\n", out);
	for (size_t row = 0; row < set->cells / set->allocators; row++)
		put_latency_plots(out, set, row);
	fputs("</details><details><summary>Figures, ns</summary><div class=\"wide\"><table><thead>"
	      "<tr><th></th><th>allocator</th><th>call</th><th>p50</th><th>p99</th><th>p99.9</th>"
	      "<th>max</th></tr></thead>\n", out);
	for (size_t i = 0; i < set->cells; i++)
		put_latency_rows(out, &set->cell[i]);
	fputs("</table></div></details>\n", out);
}

static void put_scaling(FILE *out, const struct set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->tasks; i++) {
		char *svg = set->task[i].flags & T_THREADS ? plot_scaling(set, set->task[i].name)
							   : NULL;

		if (svg && !any)
			fputs("<h2 id=\"threads\">Scaling over threads</h2>\n", out);
		any |= svg != NULL;
		put_plot(out, set->task[i].name, svg);
	}
}

static void put_instructions(FILE *out, const struct set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->cells; i++)
		any |= set->cell[i].instructions >= 0;
	if (!any)
		return;
	fputs("<h2>Instructions an operation</h2>\n<p>Counted by callgrind, with the workload's "
	      "own loop.</p>\n", out);
	put_table_head(out, set);
	for (size_t i = 0; i < set->cells; i++) {
		const struct cell *c = &set->cell[i];

		if (i % set->allocators == 0)
			put_row_name(out, c->task, c->threads);
		if (c->instructions >= 0)
			fprintf(out, "<td>%.1f</td>", c->instructions);
		else
			fputs("<td>–</td>", out);
		if (i % set->allocators == set->allocators - 1)
			fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void put_head(FILE *out, const struct set *set)
{
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\">"
		"<meta name=\"color-scheme\" content=\"light dark\">"
		"<title>kmalloc-bench</title>\n<style>\n%s</style></head><body>\n", style);
	fputs("<h1>Memory allocators compared</h1>\n<p>", out);
	put_json_value(out, json_object_get(set->provenance, "cpu"));
	fputs(", ", out);
	put_json_value(out, json_object_get(set->provenance, "kernel"));
	fprintf(out, ". %zu workloads, %zu allocators, %u rounds, interleaved in shuffled order; "
		"medians. Ratios are to %s; below 1 is better. A coloured ratio differs from 1 "
		"beyond noise (95 %% confidence), the best of a row is bold, and a run that "
		"crashed, gave a wrong result or took too long is a failure, never a time.</p>\n",
		set->tasks, set->allocators, set->rounds,
		set->allocators ? set->allocator[0].name : "");
}

void html_write(FILE *out, const struct set *set)
{
	struct table *time = table_make(set, METRIC_TIME), *peak = table_make(set, METRIC_PEAK);
	struct table *wall = table_make(set, METRIC_WALL);

	put_head(out, set);
	put_plot(out, NULL, plot_means(time, peak));
	fputs("<h2 id=\"cpu\">Time</h2>\n", out);
	put_table(out, time);
	put_families(out, time);
	fputs("<details><summary>Wall time</summary>\n", out);
	put_table(out, wall);
	fputs("</details>\n<h2 id=\"memory\">Peak memory</h2>\n", out);
	put_table(out, peak);
	put_families(out, peak);
	put_memory(out, set);
	put_scaling(out, set);
	put_latency(out, set);
	put_instructions(out, set);
	put_failures(out, set);
	put_provenance(out, set);
	fputs("</body></html>\n", out);
	table_free(time);
	table_free(peak);
	table_free(wall);
}
