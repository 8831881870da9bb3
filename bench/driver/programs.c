/* SPDX-License-Identifier: MIT */
/*
 * programs.c: inputs of the real programs.
 *
 * Each program's script makes its input once, before any round, in a directory of its own
 * ("script prepare", on the C library's malloc), so that all allocators work on the same bytes. A
 * script that lacks its program says so with exit status 77: its cells are shown as skipped.
 */
#include "driver/programs.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/util.h"

enum { STATUS_SKIP = 77 };

static char base[256];

const char *programs_directory(const struct task *task)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%.100s", base, task->name);
	return path;
}

static int run_prepare(const struct task *task, double scale, char *why)
{
	char *log = xprintf("%s/prepare.log", programs_directory(task)), *text;
	char *command = xprintf("KB_DIR='%s' KB_SCALE=%g LC_ALL=C sh '%s' prepare >'%s' 2>&1",
				programs_directory(task), scale, task->file, log);
	int status;

	status = system(command);
	text = read_text(log);
	if (text) {
		const char *last = strrchr(text, '\n');

		snprintf(why, WHY_SIZE, "%s", last ? last + 1 : text);
	}
	free(text);
	free(log);
	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void mark(struct set *set, const struct task *task, enum outcome outcome, const char *why)
{
	for (size_t i = 0; i < set->cells; i++) {
		struct cell *c = &set->cell[i];

		if (c->task != task)
			continue;
		c->n = 1;
		c->sample[0].outcome = outcome;
		snprintf(c->sample[0].why, WHY_SIZE, "%s", why);
	}
}

static void prepare(struct set *set, const struct task *task)
{
	char why[WHY_SIZE] = "";
	int status;

	if (mkdir(programs_directory(task), 0755))
		fatal("cannot make %s", programs_directory(task));
	status = run_prepare(task, set->scale, why);
	if (status == STATUS_SKIP)
		mark(set, task, RUN_SKIP, why);
	else if (status)
		mark(set, task, RUN_CRASH, why);
}

static bool any_program(const struct set *set)
{
	for (size_t i = 0; i < set->tasks; i++)
		if (set->task[i].flags & T_PROGRAM)
			return true;
	return false;
}

void programs_prepare(struct set *set)
{
	if (!any_program(set))
		return;
	snprintf(base, sizeof(base), "%.200s/kmalloc-bench.XXXXXX", temp_directory());
	if (!mkdtemp(base))
		fatal("cannot make a directory %s", base);
	if (chmod(base, 0755))
		fatal("cannot open %s to other users", base);
	for (size_t i = 0; i < set->tasks; i++)
		if (set->task[i].flags & T_PROGRAM)
			prepare(set, &set->task[i]);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void programs_clean(const struct set *set)
{
	if (any_program(set) && *base)
		nftw(base, remove_entry, 32, FTW_DEPTH | FTW_PHYS);
}
