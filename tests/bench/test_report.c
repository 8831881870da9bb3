/* SPDX-License-Identifier: MIT */
/*
 * test_report.c: the numbers in reports, from sets that are made up here: analysis, JSON and
 * back, CSV, comparison.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "driver/analysis.h"
#include "driver/compare.h"
#include "driver/csv.h"
#include "driver/memory.h"
#include "driver/model.h"
#include "driver/store.h"
#include "driver/terminal.h"

enum { ROUNDS = 5 };

static const char *const allocator_names[] = { "glibc", "fast", "lean" };

/* Two workloads, three allocators; the times are 10, 5 and 20 ns, the peaks 100, 200 and 50 KiB. */
static void make_cell(struct cell *c, const struct task *t, const struct allocator *a, size_t i)
{
	static const double time[] = { 10, 5, 20 }, peak[] = { 100, 200, 50 };

	*c = (struct cell){ .task = t, .allocator = a, .threads = 2, .n = ROUNDS,
			    .instructions = -1 };
	c->memory.idle = c->memory.idle1 = c->memory.idle10 = -1;
	c->sample = calloc(ROUNDS, sizeof(*c->sample));
	for (int k = 0; k < ROUNDS; k++)
		c->sample[k] = (struct sample){
			.op_ns = time[i] + 0.01 * k, .peak = peak[i], .ops = 1000,
			.work_cpu = time[i] * 1e-6, .work_wall = time[i] * 2e-6,
			.minflt = 7, .majflt = 1,
		};
}

static struct set make_set(void)
{
	struct set s = { .allocators = 3, .tasks = 2, .cells = 6, .rounds = ROUNDS, .scale = 1 };

	s.allocator = calloc(3, sizeof(*s.allocator));
	s.task = calloc(2, sizeof(*s.task));
	s.cell = calloc(6, sizeof(*s.cell));
	s.provenance = json_pack("{s:s,s:f}", "cpu", "test \"cpu\" <1>", "scale", 1.0);
	for (size_t i = 0; i < 3; i++)
		s.allocator[i].name = strdup(allocator_names[i]);
	for (size_t i = 0; i < 2; i++)
		s.task[i] = (struct task){ .name = strdup(i ? "second" : "first"),
					   .family = strdup(i ? "standard" : "micro"),
					   .unit = strdup("pair"), .what = strdup("a test") };
	for (size_t i = 0; i < 6; i++)
		make_cell(&s.cell[i], &s.task[i / 3], &s.allocator[i % 3], i % 3);
	return s;
}

static int near(double a, double b)
{
	return fabs(a - b) < 0.005 * fabs(b);
}

Test(analysis, ratios_best_and_means)
{
	struct set s = make_set();
	struct table *t = table_make(&s, METRIC_TIME);

	cr_assert(t->rows == 2 && t->countable == 2);
	cr_assert(near(t->row[0].figure[0].median, 10.02), "the median slice of a micro row");
	cr_assert(near(t->row[1].figure[0].median, 10), "processor time of the others");
	cr_assert(near(t->row[0].figure[1].vs_base.value, 0.5));
	cr_assert(near(t->row[0].figure[2].vs_best.value, 4));
	cr_assert(t->row[0].best == 1);
	cr_assert(near(t->geomean[1], 0.5) && near(t->geomean[2], 2) && t->counted[2] == 2);
	table_free(t);
	t = table_make(&s, METRIC_PEAK);
	cr_assert(t->row[0].best == 2 && near(t->geomean[1], 2) && near(t->geomean[2], 0.5));
	table_free(t);
	set_free(&s);
}

Test(analysis, a_failure_is_never_fast)
{
	struct set s = make_set();
	struct table *t;

	s.cell[1].sample[3].outcome = RUN_WRONG;	/* one bad round of five is enough */
	t = table_make(&s, METRIC_TIME);
	cr_assert_not_null(t->row[0].figure[1].failure);
	cr_assert(isnan(t->row[0].figure[1].vs_base.value));
	cr_assert(t->row[0].best == 0, "the failed one was named best");
	cr_assert(t->counted[1] == 1 && t->countable == 2);
	table_free(t);
	set_free(&s);
}

Test(analysis, rows_that_are_not_times_stay_out_of_the_mean_of_times)
{
	struct set s = make_set();
	struct table *t;

	s.task[0].flags = T_VALUE;
	for (size_t i = 0; i < 3; i++)
		for (int k = 0; k < ROUNDS; k++)
			s.cell[i].sample[k].value = 1000;
	t = table_make(&s, METRIC_TIME);
	cr_assert(near(t->row[0].figure[2].median, 1000) && t->countable == 1);
	cr_assert(near(t->geomean[2], 2));
	table_free(t);
	set_free(&s);
}

Test(analysis, where_the_base_failed_there_is_no_ratio)
{
	struct set s = make_set();
	struct table *t;

	s.cell[0].sample[0].outcome = RUN_SKIP;
	t = table_make(&s, METRIC_TIME);
	cr_assert(isnan(t->row[0].figure[1].vs_base.value) && t->countable == 1);
	cr_assert(t->row[0].best == 1);
	table_free(t);
	set_free(&s);
}

Test(analysis, formats)
{
	struct task t = { .flags = 0 };
	char text[64];

	metric_format(text, sizeof(text), &t, METRIC_TIME, 5.125);
	cr_assert_str_eq(text, "5.12 ns");
	metric_format(text, sizeof(text), &t, METRIC_TIME, 12345);
	cr_assert_str_eq(text, "12.3 µs");
	metric_format(text, sizeof(text), &t, METRIC_PEAK, 2048);
	cr_assert_str_eq(text, "2.00 MiB");
	metric_format(text, sizeof(text), &t, METRIC_FAULTS, 17);
	cr_assert_str_eq(text, "17");
}

static void add_passes(struct set *s)
{
	struct cell *c = &s->cell[4];

	c->memory.idle = 2;
	c->memory.load = 0.5;
	for (int i = 0; i <= 32; i++) {
		struct point p = { .t = i * 0.4, .rss = i * 0.4 <= 2 ? 1000 : 400, .live = 10 };

		memory_add(&c->memory, &p);
	}
	memory_finish(&c->memory);
	c->latency[0] = calloc(1, sizeof(*c->latency[0]));
	for (uint64_t v = 1; v < 1000; v++)
		hist_add(c->latency[0], v);
	c->instructions = 33.5;
}

Test(memory, peak_integral_and_idle)
{
	struct set s = make_set();
	const struct timeline *m = &s.cell[4].memory;

	add_passes(&s);
	cr_assert(near(m->peak, 1000));
	cr_assert(near(m->idle1, 400) && near(m->idle10, 400));
	/* from 0.8 to 2.0 s: three steps of 0.4 s */
	cr_assert(near(m->integral, 1200), "%f", m->integral);
	set_free(&s);
}

Test(memory, without_samples_that_late_there_is_no_value)
{
	struct timeline m = { .idle = 1 };
	struct point p = { .t = 1.5, .rss = 100 };

	memory_add(&m, &p);
	memory_finish(&m);
	cr_assert(m.idle1 < 0 && m.idle10 < 0);
	free(m.point);
}

static void compare_figures(const struct set *a, const struct set *b)
{
	for (int m = 0; m < N_METRICS; m++) {
		struct table *x = table_make(a, m), *y = table_make(b, m);

		for (size_t i = 0; i < 6; i++)
			cr_assert(near(x->row[i / 3].figure[i % 3].median,
				       y->row[i / 3].figure[i % 3].median));
		table_free(x);
		table_free(y);
	}
}

Test(store, json_and_back)
{
	struct set s = make_set(), back = { 0 };
	char why[100] = "";
	json_t *root;

	add_passes(&s);
	s.cell[5].sample[1].outcome = RUN_CRASH;
	strcpy(s.cell[5].sample[1].why, "Segmentation fault");
	root = store_encode(&s);
	cr_assert(store_decode(&back, root, why, sizeof(why)) == 0, "%s", why);
	cr_assert(back.cells == 6 && back.tasks == 2 && back.allocators == 3);
	compare_figures(&s, &back);
	cr_assert(near(back.cell[4].memory.idle10, 400));
	cr_assert(near(back.cell[4].instructions, 33.5) && back.cell[3].instructions < 0);
	cr_assert(hist_quantile(back.cell[4].latency[0], 0.5) ==
		  hist_quantile(s.cell[4].latency[0], 0.5));
	cr_assert(cell_failure(&back.cell[5])->outcome == RUN_CRASH);
	cr_assert_str_eq(cell_failure(&back.cell[5])->why, "Segmentation fault");
	json_decref(root);
	set_free(&s);
	set_free(&back);
}

Test(store, other_files_are_refused)
{
	struct set back = { 0 };
	char why[100];
	json_t *other = json_pack("{s:s}", "format", "something");
	json_t *newer = json_pack("{s:s,s:i}", "format", "kmalloc-bench", "version", 99);

	cr_assert(store_decode(&back, other, why, sizeof(why)) < 0);
	cr_assert(store_decode(&back, newer, why, sizeof(why)) < 0);
	cr_assert(strstr(why, "99"));
	json_decref(other);
	json_decref(newer);
}

Test(csv, a_line_a_cell_with_all_fields)
{
	struct set s = make_set();
	char *text = NULL, *line, *rest;
	size_t size, lines = 0, commas = 0;
	FILE *f = open_memstream(&text, &size);

	csv_write(f, &s);
	fclose(f);
	cr_assert(strstr(text, "\n\"first\",micro,pair,2,\"fast\",ok,\"\",5,5.02,"));
	rest = text;
	while ((line = strsep(&rest, "\n")) && *line) {
		size_t n = 0;

		for (char *c = line; *c; c++)
			n += *c == ',';
		if (lines++ == 0)
			commas = n;
		cr_assert(n == commas, "line %zu has %zu commas, the head %zu", lines, n, commas);
	}
	cr_assert(lines == 7);
	free(text);
	set_free(&s);
}

static void scale_cell(struct cell *c, double factor)
{
	for (size_t k = 0; k < c->n; k++)
		c->sample[k].op_ns *= factor;
}

Test(compare, nothing_changed)
{
	struct set a = make_set(), b = make_set();
	size_t n;

	free(compare_sets(&a, &b, METRIC_TIME, &n));
	cr_assert(n == 0);
	set_free(&a);
	set_free(&b);
}

Test(compare, one_cell_became_slower)
{
	struct set a = make_set(), b = make_set();
	struct change *c;
	size_t n;

	scale_cell(&b.cell[1], 1.2);
	c = compare_sets(&a, &b, METRIC_TIME, &n);
	cr_assert(n == 1 && c[0].after == &b.cell[1] && near(c[0].ratio.value, 1.2));
	free(c);
	set_free(&a);
	set_free(&b);
}

Test(compare, a_slower_machine_is_no_change_of_the_others)
{
	struct set a = make_set(), b = make_set();
	struct change *c;
	size_t n;

	for (size_t i = 0; i < 3; i++)
		scale_cell(&b.cell[i], 1.5);
	c = compare_sets(&a, &b, METRIC_TIME, &n);
	cr_assert(n == 1, "%zu changes", n);
	cr_assert(c[0].after == &b.cell[0], "only the base itself is compared directly");
	free(c);
	set_free(&a);
	set_free(&b);
}

Test(compare, failing_now_is_a_change_for_the_worse)
{
	struct set a = make_set(), b = make_set();
	FILE *f = tmpfile();

	b.cell[4].sample[0].outcome = RUN_CRASH;
	cr_assert(compare_print(f, &a, &b) == 1);
	cr_assert(compare_print(f, &b, &a) == 0);
	fclose(f);
	set_free(&a);
	set_free(&b);
}

Test(terminal, failures_are_named)
{
	struct set s = make_set();
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	s.cell[2].sample[0].outcome = RUN_WRONG;
	strcpy(s.cell[2].sample[0].why, "block overwritten");
	terminal_print(f, &s, METRIC_TIME);
	terminal_failures(f, &s);
	fclose(f);
	cr_assert(strstr(text, "wrong result"));
	cr_assert(strstr(text, "first, lean: wrong result: block overwritten"));
	cr_assert(strstr(text, "2.00 (1)"), "the mean says over how many rows it is: %s", text);
	free(text);
	set_free(&s);
}
