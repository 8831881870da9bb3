/* SPDX-License-Identifier: MIT */
/*
 * plot.c: plots of a set as SVG text, made by gnuplot.
 *
 * A plot is a gnuplot script with its data inline, written to a temporary file; gnuplot prints
 * the SVG. Text and axes come out in colours that the page's style sheet overrides (html.c), so a
 * plot reads on paper and in a dark theme; marks have colours of middle lightness and different
 * shapes. Ratios are drawn on a logarithmic axis, as dots with their confidence intervals: a bar
 * from 1 would make 0.5 look smaller than 2, though they say the same.
 */
#include "driver/plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/util.h"

enum { WIDTH = 860, ROW_HEIGHT = 30, FRAME = 110, LINE_HEIGHT = 330 };

static const char *const colours[] = {
	"#8a8a8a", "#e0562d", "#3b8fd4", "#2aa876", "#c774b2", "#b59f00", "#8c6bd1", "#4fb3bf",
	"#a0714f", "#6f8f2f", "#d16b86", "#5f7fa8",
};

enum { N_COLOURS = sizeof(colours) / sizeof(colours[0]) };

static unsigned plots_made;

const char *plot_colour(const struct set *set, size_t allocator)
{
	(void)set;
	return colours[allocator % N_COLOURS];
}

struct script {
	FILE *out;
	char path[256];
};

static void script_begin(struct script *s, int width, int height)
{
	int fd;

	snprintf(s->path, sizeof(s->path), "%.200s/kmalloc-plot.XXXXXX", temp_directory());
	fd = mkstemp(s->path);
	s->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!s->out)
		fatal("cannot make %s: %s", s->path, strerror(errno));
	fprintf(s->out, "set encoding utf8\n"
		"set terminal svg size %d,%d dynamic noenhanced font 'sans-serif,13' name 'p%u'\n"
		"set border 3 linecolor rgb '#808080'\n"
		"set tics nomirror\n"
		"set grid linecolor rgb '#808080' linewidth 0.3 dashtype 3\n", width, height,
		++plots_made);
}

static void warn_if(bool failed)
{
	static bool warned;

	if (failed && !warned)
		fputs("kmalloc-bench: " KB_GNUPLOT " is missing or failed: plots are left out\n",
		      stderr);
	warned |= failed;
}

/* Runs gnuplot; keeps only the <svg> element, without the XML declaration. */
static char *script_end(struct script *s)
{
	char *command, *text, *svg;

	fclose(s->out);
	command = xprintf("'" KB_GNUPLOT "' '%s' 2>/dev/null", s->path);
	text = read_command(command);
	unlink(s->path);
	free(command);
	warn_if(!text);
	svg = text ? strstr(text, "<svg") : NULL;
	svg = xstrdup(svg);
	free(text);
	return svg;
}

static void put_mean_data(FILE *out, const struct table *t, const char *name)
{
	fprintf(out, "$%s << EOD\n", name);
	for (size_t a = 0; a < t->set->allocators; a++)
		fprintf(out, "\"%s\" %.4f %zu\n", t->set->allocator[a].name,
			isnan(t->geomean[a]) ? 0 : t->geomean[a], a);
	fputs("EOD\n", out);
}

static void put_mean_panel(FILE *out, const char *title, const char *data)
{
	fprintf(out, "set title '%s'\n"
		"plot $%s using 0:2:($3+1):xtic(1) with boxes lc variable notitle, "
		"'' using 0:2:(sprintf('%%.2f',$2)) with labels offset 0,0.7 notitle, "
		"1 with lines lc rgb '#808080' dashtype 2 notitle\n", title, data);
}

char *plot_means(const struct table *time, const struct table *memory)
{
	struct script s;

	script_begin(&s, WIDTH, 320);
	for (size_t a = 0; a < time->set->allocators; a++)
		fprintf(s.out, "set linetype %zu lc rgb '%s'\n", a + 1,
			plot_colour(time->set, a));
	put_mean_data(s.out, time, "time");
	put_mean_data(s.out, memory, "memory");
	fputs("set boxwidth 0.7\nset style fill solid 0.85 noborder\nset yrange [0:*<4]\n"
	      "set xtics rotate by -35\nset xrange [-0.6:*]\nset offsets 0,0.2,0.25,0\n"
	      "set multiplot layout 1,2\n", s.out);
	put_mean_panel(s.out, "time, geometric mean (ratio)", "time");
	put_mean_panel(s.out, "peak memory, geometric mean (ratio)", "memory");
	fputs("unset multiplot\n", s.out);
	return script_end(&s);
}

static bool in_family(const struct row *r, const char *family)
{
	return !strcmp(r->task->family, family);
}

static size_t put_family_rows(FILE *out, const struct table *t, const char *family)
{
	size_t n = 0;

	fputs("set ytics (", out);
	for (size_t i = t->rows; i-- > 0;) {
		const struct row *r = &t->row[i];

		if (!in_family(r, family))
			continue;
		fprintf(out, "%s'%s", n ? "," : "", r->task->name);
		if (r->task->flags & T_THREADS)
			fprintf(out, " @%u", r->threads);
		fprintf(out, "%s' %zu", r->task->flags & T_VALUE ? " (memory)" : "", n);
		n++;
	}
	fputs(")\n", out);
	return n;
}

/* Within a row the allocators are set a little apart, in their order from the top. */
static void put_family_data(FILE *out, const struct table *t, const char *family, size_t a)
{
	double step = 0.7 / (double)(t->set->allocators - 1);
	size_t n = 0;

	fprintf(out, "$a%zu << EOD\n", a);
	for (size_t i = t->rows; i-- > 0;) {
		const struct figure *f = &t->row[i].figure[a];

		if (!in_family(&t->row[i], family))
			continue;
		if (f->vs_base.value > 0)
			fprintf(out, "%.5f %.4f %.5f %.5f\n", f->vs_base.value,
				(double)n + 0.35 - step * ((double)a - 0.5),
				isnan(f->vs_base.low) ? f->vs_base.value : f->vs_base.low,
				isnan(f->vs_base.high) ? f->vs_base.value : f->vs_base.high);
		n++;
	}
	fputs("EOD\n", out);
}

/* An axis that shows every ratio and 1; intervals may run out of it. */
static void put_family_range(FILE *out, const struct table *t, const char *family)
{
	double low = 1, high = 1;

	for (size_t i = 0; i < t->rows; i++) {
		for (size_t a = 1; a < t->set->allocators; a++) {
			double v = t->row[i].figure[a].vs_base.value;

			if (!in_family(&t->row[i], family) || !(v > 0))
				continue;
			low = v < low ? v : low;
			high = v > high ? v : high;
		}
	}
	fprintf(out, "set xrange [%g:%g]\n", low / 1.3, high * 1.3);
}

char *plot_family(const struct table *t, const char *family)
{
	struct script s;
	size_t n = 0, count = t->set->allocators;

	for (size_t i = 0; i < t->rows; i++)
		n += in_family(&t->row[i], family);
	if (n == 0 || count < 2)
		return NULL;
	script_begin(&s, WIDTH, FRAME + (int)n * (ROW_HEIGHT + 4 * (int)count));
	put_family_rows(s.out, t, family);
	put_family_range(s.out, t, family);
	for (size_t a = 1; a < count; a++)
		put_family_data(s.out, t, family, a);
	fprintf(s.out, "set logscale x 2\nset yrange [-0.6:%zu.6]\nset lmargin 18\n"
		"set key outside top center horizontal\n"
		"set xlabel '%s: ratio to %s, with 95 %% confidence interval'\n"
		"set format x '%%g'\n"
		"set xtics (0.03,0.06,0.12,0.25,0.35,0.5,0.7,1,1.4,2,2.8,4,8,16,32,64)\n"
		"set arrow from 1, graph 0 to 1, graph 1 nohead "
		"lc rgb '#808080' lw 1.5\n"
		"plot 1/0 notitle", n - 1, metric_title[t->metric],
		t->set->allocator[0].name);
	for (size_t a = 1; a < count; a++)
		fprintf(s.out, ", $a%zu using 1:2:3:4 with xerrorbars lc rgb '%s' pt %zu "
			"ps 0.8 title '%s'", a, plot_colour(t->set, a),
			4 + a, t->set->allocator[a].name);
	fputc('\n', s.out);
	return script_end(&s);
}

static const struct cell *cell_at(const struct set *set, size_t row, size_t a)
{
	return &set->cell[row * set->allocators + a];
}

/*
 * A trace's samples say how many bytes were live: they are shown over the calls, not over time, so
 * that every allocator stands at the same place in the program.
 */
static void put_timeline(FILE *out, const struct timeline *m, size_t a, bool trace)
{
	size_t calls = 0, n = 0;

	for (size_t i = 0; i < m->n; i++)
		calls += m->point[i].live >= 0;
	fprintf(out, "$m%zu << EOD\n", a);
	for (size_t i = 0; i < m->n; i++) {
		const struct point *p = &m->point[i];

		if (!trace)
			fprintf(out, "%.4f %.3f 0\n", p->t, p->rss / 1024);
		else if (p->live >= 0)
			fprintf(out, "%.2f %.3f %.3f\n", 100.0 * (double)n++ / (double)calls,
				p->rss / 1024, p->live / 1024);
	}
	fputs("EOD\n", out);
}

/* Enough samples over enough time for a line to say something. */
static bool worth_a_line(const struct timeline *m)
{
	const struct point *last = &m->point[m->n - 1];

	return m->n > 8 && (last->t - m->point[0].t > 0.2 || m->point[m->n / 2].live >= 0);
}

static size_t count_lines(const struct set *set, size_t row)
{
	size_t n = 0;

	for (size_t a = 0; a < set->allocators; a++)
		n += worth_a_line(&cell_at(set, row, a)->memory);
	return n;
}

static void put_memory_lines(FILE *out, const struct set *set, size_t row)
{
	for (size_t a = 0; a < set->allocators; a++)
		if (worth_a_line(&cell_at(set, row, a)->memory))
			fprintf(out, "$m%zu using 1:2 with lines lw 1.6 lc rgb '%s' title '%s', ",
				a, plot_colour(set, a), set->allocator[a].name);
	fputs("1/0 notitle\n", out);
}

char *plot_memory(const struct set *set, size_t row)
{
	bool trace = cell_at(set, row, 0)->task->flags & T_TRACE;
	struct script s;

	if (count_lines(set, row) * 2 < set->allocators)
		return NULL;
	script_begin(&s, WIDTH, LINE_HEIGHT);
	for (size_t a = 0; a < set->allocators; a++)
		put_timeline(s.out, &cell_at(set, row, a)->memory, a, trace);
	fprintf(s.out, "set xlabel '%s'\nset ylabel 'resident MiB'\nset yrange [0:*]\n"
		"set key outside right\nplot ", trace ? "% of the calls" : "seconds");
	if (trace)
		fputs("$m0 using 1:3 with filledcurves y1=0 lc rgb '#b0b0b0' "
		      "fs transparent solid 0.4 title 'live', ", s.out);
	put_memory_lines(s.out, set, row);
	return script_end(&s);
}

/* A point a bucket: how large a part of the calls took longer than this. */
static void put_latency_curve(FILE *out, const struct hist *h, size_t a)
{
	uint64_t seen = 0;

	fprintf(out, "$l%zu << EOD\n", a);
	for (unsigned i = 0; h && i < HIST_BUCKETS; i++) {
		if (!h->count[i])
			continue;
		seen += h->count[i];
		fprintf(out, "%.9f %llu\n",
			seen < h->total ? 1 - (double)seen / (double)h->total
					: 0.5 / (double)h->total,
			(unsigned long long)(hist_high(i) ? hist_high(i) : 1));
	}
	fputs("EOD\n", out);
}

/* The largest number of calls that an allocator's curve is made of: how far right it reaches. */
static uint64_t most_calls(const struct set *set, size_t row, int call)
{
	uint64_t most = 0;

	for (size_t a = 0; a < set->allocators; a++) {
		const struct hist *h = cell_at(set, row, a)->latency[call];

		if (h && h->total > most)
			most = h->total;
	}
	return most;
}

static void put_latency_curves(FILE *out, const struct set *set, size_t row, int call)
{
	for (size_t a = 0; a < set->allocators; a++)
		if (cell_at(set, row, a)->latency[call])
			fprintf(out, "$l%zu using 1:2 with steps lw 1.6 lc rgb '%s' title '%s', ",
				a, plot_colour(set, a), set->allocator[a].name);
	fputs("1/0 notitle\n", out);
}

char *plot_latency(const struct set *set, size_t row, int call)
{
	uint64_t most = most_calls(set, row, call);
	struct script s;

	if (most < 100)
		return NULL;
	script_begin(&s, WIDTH, LINE_HEIGHT);
	for (size_t a = 0; a < set->allocators; a++)
		put_latency_curve(s.out, cell_at(set, row, a)->latency[call], a);
	fprintf(s.out, "set logscale xy\nset xrange [1:%g]\nset yrange [1:*]\n"
		"set xtics ('50 %%%%' 0.5, '90 %%%%' 0.1, '99 %%%%' 0.01, '99.9 %%%%' 0.001, "
		"'99.99 %%%%' 0.0001, '99.999 %%%%' 0.00001)\nset xlabel 'part of the calls of %s'\n"
		"set ylabel 'ns, at most'\nset format y '%%.0f'\nset key outside right\nplot ",
		0.4 / (double)most, latency_name[call]);
	put_latency_curves(s.out, set, row, call);
	return script_end(&s);
}

static double throughput(const struct cell *c)
{
	double v[64];
	size_t n = c->n < 64 ? c->n : 64;

	if (!n || cell_failure(c))
		return NAN;
	for (size_t i = 0; i < n; i++)
		v[i] = c->sample[i].ops / c->sample[i].work_wall / 1e6;
	return stats_median(v, n);
}

static size_t put_scaling_data(FILE *out, const struct set *set, const char *task, size_t a)
{
	size_t n = 0;

	fprintf(out, "$s%zu << EOD\n", a);
	for (size_t row = 0; row < set->cells / set->allocators; row++) {
		const struct cell *c = cell_at(set, row, a);

		if (strcmp(c->task->name, task) || isnan(throughput(c)))
			continue;
		fprintf(out, "%u %.4f\n", c->threads, throughput(c));
		n++;
	}
	fputs("EOD\n", out);
	return n;
}

char *plot_scaling(const struct set *set, const char *task)
{
	struct script s;
	size_t most = 0;
	char *svg;

	script_begin(&s, WIDTH, LINE_HEIGHT);
	for (size_t a = 0; a < set->allocators; a++) {
		size_t n = put_scaling_data(s.out, set, task, a);

		most = n > most ? n : most;
	}
	fputs("set xlabel 'threads'\nset ylabel 'million operations a second'\n"
	      "set yrange [0:*]\nset key outside right\nplot ", s.out);
	for (size_t a = 0; a < set->allocators; a++)
		fprintf(s.out, "%s$s%zu using 1:2 with linespoints lw 1.6 pt %zu lc rgb '%s' "
			"title '%s'", a ? ", " : "", a, 4 + a, plot_colour(set, a),
			set->allocator[a].name);
	fputc('\n', s.out);
	svg = script_end(&s);
	if (most > 1)
		return svg;
	free(svg);
	return NULL;
}
