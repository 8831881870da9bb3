/* SPDX-License-Identifier: MIT */
/*
 * command.c: the command line and environment of a child.
 *
 * A built-in workload is the worker with the allocator in LD_PRELOAD. A program is a shell script
 * (programs/) that starts the real thing itself with what KB_PRELOAD and KB_ENV say, so that the
 * shell and the script's own helpers stay on the C library's malloc. There glibc is preloaded like
 * any other allocator: some programs are linked with one (Debian's redis with jemalloc), and only
 * a preload comes before that.
 */
#include "driver/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/allocators.h"
#include "driver/places.h"
#include "driver/util.h"

static void set_option(const struct allocator *a)
{
	char *copy, *value;

	if (!a->env)
		return;
	copy = xstrdup(a->env);
	value = strchr(copy, '=');
	if (value) {
		*value++ = 0;
		setenv(copy, value, 1);
	}
	free(copy);
}

/* The probe writes to this pipe only: the number alone may mean another file in a grandchild. */
static char *pipe_identity(void)
{
	struct stat st = { 0 };

	fstat(COMMAND_FD, &st);
	return xprintf("%d:%llu", COMMAND_FD, (unsigned long long)st.st_ino);
}

static void exec_program(const struct cell *cell, const struct child_options *o)
{
	const struct allocator *a = cell->allocator;
	char *probe = places_helper("kmalloc-bench-probe.so");
	char *library = a->path ? a->path : allocators_libc();
	char *preload = xprintf("%s:%s", library ? library : "", probe);
	char *scale = xprintf("%g", o->scale), *threads = xprintf("%u", cell->threads);

	setenv("KB_PROOF", pipe_identity(), 1);
	setenv("KB_PRELOAD", preload, 1);
	setenv("KB_ENV", a->env ? a->env : "KB_ALLOCATOR=plain", 1);
	setenv("KB_SCALE", scale, 1);
	setenv("KB_THREADS", threads, 1);
	setenv("KB_DIR", o->workdir, 1);
	setenv("LC_ALL", "C", 1);
	execlp("sh", "sh", cell->task->file, "run", (char *)NULL);
}

static void exec_worker(const struct cell *cell, const struct child_options *o)
{
	const struct allocator *a = cell->allocator;
	char *worker = places_helper(o->kind == CHILD_LATENCY ? "kmalloc-bench-latency"
							      : "kmalloc-bench-work");
	char *argv[24];
	int n = 0;

	if (o->kind == CHILD_INSTRUCTIONS) {
		argv[n++] = xstrdup("valgrind");
		argv[n++] = xstrdup("-q");
		argv[n++] = xstrdup("--tool=callgrind");
		argv[n++] = xprintf("--callgrind-out-file=%s", o->workdir);
	}
	argv[n++] = worker;
	argv[n++] = xprintf("-f%d", COMMAND_FD);
	argv[n++] = xprintf("-t%u", cell->threads);
	argv[n++] = xprintf("-s%g", o->scale);
	argv[n++] = xprintf("-r%lu", o->seed);
	argv[n++] = xprintf("-i%g", o->kind == CHILD_MEMORY ? o->idle : 0);
	if (o->kind == CHILD_MEMORY)
		argv[n++] = xstrdup("-m");
	if (cell->task->file)
		argv[n++] = xprintf("-T%s", cell->task->file);
	argv[n++] = xstrdup(cell->task->flags & T_TRACE ? "replay" : cell->task->name);
	argv[n] = NULL;
	set_option(a);
	if (a->path)
		setenv("LD_PRELOAD", a->path, 1);
	execvp(argv[0], argv);
}

void command_exec(const struct cell *cell, const struct child_options *o)
{
	if (cell->task->flags & T_PROGRAM)
		exec_program(cell, o);
	else
		exec_worker(cell, o);
}
