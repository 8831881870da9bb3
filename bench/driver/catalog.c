/* SPDX-License-Identifier: MIT */
/*
 * catalog.c: which tasks there are.
 *
 * The built-in workloads are listed by the worker itself, so the driver has no second list of
 * them. A program is a script in programs/ with a line "# what: …"; a trace is a file in traces/.
 */
#include "driver/catalog.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "driver/places.h"
#include "driver/util.h"

static struct task *add(struct set *set)
{
	set->task = xrealloc(set->task, set->tasks + 1, sizeof(*set->task));
	memset(&set->task[set->tasks], 0, sizeof(*set->task));
	return &set->task[set->tasks++];
}

/* "name\tfamily\tunit\tflags\twhat" */
static void add_builtin(struct set *set, char *line)
{
	char *name = strsep(&line, "\t"), *family = strsep(&line, "\t");
	char *unit = strsep(&line, "\t"), *flags = strsep(&line, "\t");
	struct task *t;

	if (!line)
		fatal("the worker's list of workloads is damaged");
	t = add(set);
	t->name = xstrdup(name);
	t->family = xstrdup(family);
	t->unit = xstrdup(unit);
	t->flags = (unsigned)strtoul(flags, NULL, 10);
	t->what = xstrdup(line);
}

static void add_builtins(struct set *set)
{
	char *worker = places_helper("kmalloc-bench-work");
	char *command = xprintf("'%s' list", worker), *text = read_command(command);
	char *rest = text, *line;

	if (!text)
		fatal("%s does not run", worker);
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_builtin(set, line);
	free(text);
	free(command);
	free(worker);
}

static char *base_name(const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash ? slash + 1 : path);

	name[strlen(name) - strlen(suffix)] = 0;
	return name;
}

/* What a script says of itself: the line "# what: …" in it. */
static char *script_what(const char *path)
{
	char *text = read_text(path), *what = text ? strstr(text, "\n# what: ") : NULL;
	char *end = what ? strchr(what + 9, '\n') : NULL;

	if (end)
		*end = 0;
	what = xstrdup(end ? what + 9 : "");
	free(text);
	return what;
}

static void add_program(struct set *set, const char *path)
{
	struct task *t = add(set);

	t->name = base_name(path, ".sh");
	t->family = xstrdup("program");
	t->unit = xstrdup("run");
	t->what = script_what(path);
	t->file = xstrdup(path);
	t->flags = T_PROGRAM | T_NOLAT;
}

void catalog_add_trace(struct set *set, const char *path)
{
	const char *slash = strrchr(path, '/'), *suffix = strrchr(slash ? slash : path, '.');
	struct task *t = add(set);

	t->name = base_name(path, suffix ? suffix : "");
	t->family = xstrdup("trace");
	t->unit = xstrdup("call");
	t->what = xstrdup("recorded allocation calls");
	t->file = xstrdup(path);
	t->flags = T_TRACE;
}

static void add_files(struct set *set, const char *directory, const char *suffix,
		      void (*add_file)(struct set *, const char *))
{
	char *dir = places_data(directory), *pattern = xprintf("%s/*%s", dir, suffix);
	glob_t g;

	if (glob(pattern, 0, NULL, &g))
		g.gl_pathc = 0;
	for (size_t i = 0; i < g.gl_pathc; i++)
		add_file(set, g.gl_pathv[i]);
	globfree(&g);
	free(pattern);
	free(dir);
}

void catalog_load(struct set *set)
{
	add_builtins(set);
	add_files(set, "programs", ".sh", add_program);
	add_files(set, "traces", ".kmt", catalog_add_trace);
}

static bool listed(const char *list, const struct task *t)
{
	char *copy = xstrdup(list), *rest = copy, *name;
	bool hit = false;

	while ((name = strsep(&rest, ",")))
		if (!strcmp(name, t->name) || !strcmp(name, t->family) || !strcmp(name, "all"))
			hit = true;
	free(copy);
	return hit;
}

static void check_names(const struct set *set, const char *list)
{
	char *copy = xstrdup(list), *rest = copy, *name;

	while ((name = strsep(&rest, ","))) {
		bool known = !strcmp(name, "all");

		for (size_t i = 0; i < set->tasks; i++)
			known |= !strcmp(name, set->task[i].name) ||
				 !strcmp(name, set->task[i].family);
		if (!known)
			fatal("no workload or family '%s'; see kmalloc-bench list", name);
	}
	free(copy);
}

void catalog_select(struct set *set, const char *list, bool quick)
{
	size_t kept = 0;

	if (list)
		check_names(set, list);
	for (size_t i = 0; i < set->tasks; i++) {
		const struct task *t = &set->task[i];

		if (list ? listed(list, t) : !quick || t->flags & T_QUICK)
			set->task[kept++] = *t;
	}
	set->tasks = kept;
}

void catalog_print(const struct set *set)
{
	const char *family = "";

	for (size_t i = 0; i < set->tasks; i++) {
		const struct task *t = &set->task[i];

		if (strcmp(family, t->family))
			printf("%s%s:\n", i ? "\n" : "", t->family);
		family = t->family;
		printf("  %-16s %s%s\n", t->name, t->what, t->flags & T_QUICK ? " [quick]" : "");
	}
}
