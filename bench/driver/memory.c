/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the memory of a child over time, out of /proc/PID/smaps_rollup.
 *
 * Rss alone lies where pages were freed with MADV_FREE (they stay in Rss as LazyFree until the
 * kernel wants them) and where huge pages are used; so the four figures are kept side by side.
 * Reading them walks the child's page tables under its mmap lock: sampled runs are runs of their
 * own, their times are not reported.
 */
#include "driver/memory.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>

#include "driver/util.h"

static void add_process(struct point *sum, pid_t pid)
{
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	text = read_text(path);
	if (text && text_field(text, "Rss:") > 0) {
		sum->rss += text_field(text, "\nRss:");
		sum->dirty += text_field(text, "\nPrivate_Dirty:");
		sum->lazy += text_field(text, "\nLazyFree:");
		sum->huge += text_field(text, "\nAnonHugePages:");
	}
	free(text);
}

static void add_tree(struct point *sum, pid_t pid);

static void add_children(struct point *sum, pid_t pid, const char *thread)
{
	char *path = xprintf("/proc/%d/task/%s/children", (int)pid, thread);
	char *text = read_text(path), *at = text, *end;

	free(path);
	while (at && *at) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		add_tree(sum, (pid_t)child);
		at = end;
	}
	free(text);
}

static void add_tree(struct point *sum, pid_t pid)
{
	char *path = xprintf("/proc/%d/task", (int)pid);
	DIR *dir = opendir(path);
	struct dirent *e;

	free(path);
	add_process(sum, pid);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			add_children(sum, pid, e->d_name);
	if (dir)
		closedir(dir);
}

void memory_sample(struct timeline *line, pid_t pid, double t)
{
	struct point p = { .t = t, .live = -1 };

	add_tree(&p, pid);
	if (p.rss <= 0)
		return;
	memory_add(line, &p);
}

void memory_add(struct timeline *line, const struct point *p)
{
	line->point = xrealloc(line->point, line->n + 1, sizeof(*p));
	line->point[line->n++] = *p;
}

/* The last value taken at or before t, if samples reach that far. */
static double value_at(const struct timeline *line, double t)
{
	double v = -1;

	if (line->n == 0 || line->point[line->n - 1].t < t - 0.2)
		return -1;
	for (size_t i = 0; i < line->n && line->point[i].t <= t; i++)
		v = line->point[i].rss;
	return v;
}

void memory_finish(struct timeline *line)
{
	double end = line->idle >= 0 ? line->idle : INFINITY;

	line->peak = line->integral = 0;
	for (size_t i = 0; i < line->n; i++) {
		const struct point *p = &line->point[i];

		if (p->rss > line->peak)
			line->peak = p->rss;
		if (i + 1 < line->n && p->t >= line->load && p->t < end)
			line->integral += p->rss * (line->point[i + 1].t - p->t);
	}
	line->idle1 = line->idle >= 0 ? value_at(line, line->idle + 1) : -1;
	line->idle10 = line->idle >= 0 ? value_at(line, line->idle + 10) : -1;
}
