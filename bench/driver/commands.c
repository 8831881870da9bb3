/* SPDX-License-Identifier: MIT */
/* commands.c: the commands of kmalloc-bench except record (record.c). */
#include "driver/commands.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "driver/allocators.h"
#include "driver/catalog.h"
#include "driver/child.h"
#include "driver/compare.h"
#include "driver/csv.h"
#include "driver/html.h"
#include "driver/markdown.h"
#include "driver/provenance.h"
#include "driver/store.h"
#include "driver/terminal.h"
#include "driver/util.h"

enum { STATUS_INTERRUPTED = 130 };

static const double default_scale = 0.5, quick_scale = 0.2;

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

void request_defaults(struct request *r)
{
	r->plan = (struct plan){
		.rounds = 5, .scale = default_scale, .timeout = 120, .memory = true, .idle = 10.5,
		.latency = true, .seed = 1, .thread_counts = 1,
	};
	r->plan.threads[0] = processors() < 2 ? 2 : processors();
}

static void make_quick(struct plan *plan)
{
	if (plan->scale == default_scale)
		plan->scale = quick_scale;
	plan->memory = false;
	plan->latency = false;
}

static void print_set(const struct set *set, const struct request *r)
{
	terminal_print(stdout, set, METRIC_TIME);
	terminal_print(stdout, set, METRIC_PEAK);
	if (r->metric != METRIC_TIME && r->metric != METRIC_PEAK)
		terminal_print(stdout, set, r->metric);
	terminal_passes(stdout, set);
	terminal_failures(stdout, set);
}

static void write_report(const struct set *set, const char *dir, const char *name,
			 void (*write)(FILE *, const struct set *))
{
	char *path = xprintf("%s/%s", dir, name);
	FILE *out = fopen(path, "we");

	if (!out)
		fatal("cannot write %s", path);
	write(out, set);
	if (fclose(out))
		fatal("cannot write %s", path);
	fprintf(stderr, "kmalloc-bench: wrote %s\n", path);
	free(path);
}

/* Everything that is made from the JSON, beside it. */
static void write_reports(const struct set *set, const char *dir)
{
	write_report(set, dir, "results.csv", csv_write);
	write_report(set, dir, "results.md", markdown_write);
	write_report(set, dir, "report.html", html_write);
}

static void make_directory(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0777) && (stat(dir, &st) || !S_ISDIR(st.st_mode)))
		fatal("cannot make the directory %s", dir);
}

static void write_output(const struct set *set, const char *dir)
{
	char *path = xprintf("%s/results.json", dir);

	store_save(set, path);
	free(path);
	write_reports(set, dir);
}

/* Runs what the set holds and reports it; 1 if a cell failed for another reason than a skip. */
static int carry_out(struct set *set, struct request *r)
{
	int status = 0;

	if (r->output)
		make_directory(r->output);
	set->provenance = provenance_take(&r->plan, r->typed);
	schedule_run(set, &r->plan);
	print_set(set, r);
	if (r->output)
		write_output(set, r->output);
	for (size_t i = 0; i < set->cells; i++) {
		const struct sample *f = cell_failure(&set->cell[i]);

		status |= f && f->outcome != RUN_SKIP;
	}
	set_free(set);
	return child_interrupted() ? STATUS_INTERRUPTED : status;
}

int command_run(struct request *r)
{
	struct set set = { 0 };

	if (r->quick)
		make_quick(&r->plan);
	allocators_find(&set, r->allocators);
	catalog_load(&set);
	catalog_select(&set, r->workloads, r->quick);
	return carry_out(&set, r);
}

int command_replay(struct request *r)
{
	struct set set = { 0 };

	if (r->argc != 2)
		fatal("replay TRACE");
	allocators_find(&set, r->allocators);
	catalog_add_trace(&set, r->argv[1]);
	return carry_out(&set, r);
}

int command_report(struct request *r)
{
	struct set set = { 0 };

	if (r->argc != 2)
		fatal("report DIR");
	store_load(&set, r->argv[1]);
	print_set(&set, r);
	write_reports(&set, r->argv[1]);
	set_free(&set);
	return 0;
}

int command_compare(struct request *r)
{
	struct set before = { 0 }, after = { 0 };
	size_t worse;

	if (r->argc != 3)
		fatal("compare OLD NEW");
	store_load(&before, r->argv[1]);
	store_load(&after, r->argv[2]);
	worse = compare_print(stdout, &before, &after);
	set_free(&before);
	set_free(&after);
	return worse != 0;
}

int command_list(struct request *r)
{
	struct set set = { 0 };

	(void)r;
	catalog_load(&set);
	catalog_print(&set);
	printf("\nallocators:\n");
	allocators_print();
	set_free(&set);
	return 0;
}
