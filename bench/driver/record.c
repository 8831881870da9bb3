/* SPDX-License-Identifier: MIT */
/*
 * record.c: the command record: runs a program with the recorder preloaded and packs what it
 * wrote. The raw log is a sparse temporary file of the size that --limit allows: disk is used for
 * what is recorded only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/commands.h"
#include "driver/pack.h"
#include "driver/places.h"
#include "driver/util.h"

struct raw_log {
	char path[256];
	struct raw_file *file;
	size_t size;
};

static void create_log(struct raw_log *log, double limit_mib)
{
	int fd;

	snprintf(log->path, sizeof(log->path), "%.200s/kmalloc-bench.XXXXXX", temp_directory());
	log->size = (size_t)(limit_mib * 1024 * 1024);
	if (log->size < sizeof(*log->file) + sizeof(struct raw_record))
		fatal("a limit of %g MiB is too small", limit_mib);
	fd = mkstemp(log->path);
	if (fd < 0 || ftruncate(fd, (off_t)log->size))
		fatal("cannot make %s: %s", log->path, strerror(errno));
	log->file = mmap(NULL, log->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (log->file == MAP_FAILED)
		fatal("cannot map %s", log->path);
	log->file->capacity = (log->size - sizeof(*log->file)) / sizeof(struct raw_record);
}

static void become_program(const struct raw_log *log, char **argv)
{
	setenv("KB_RECORD", xprintf("%d:%s", (int)getpid(), log->path), 1);
	/* The C library next: what the recorder does not define must not be another allocator's. */
	setenv("LD_PRELOAD", xprintf("%s:libc.so.6", places_helper("kmalloc-bench-record.so")), 1);
	execvp(argv[0], argv);
	fatal("cannot run %s: %s", argv[0], strerror(errno));
}

static int run_program(const struct raw_log *log, char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		fatal("fork: %s", strerror(errno));
	if (pid == 0)
		become_program(log, argv);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void pack_log(const struct raw_log *log, const char *path)
{
	FILE *out = fopen(path, "we");
	struct pack_result r;

	if (!out || pack(log->file, out, &r) || fclose(out))
		fatal("cannot write %s", path);
	fprintf(stderr, "kmalloc-bench: %s: %llu calls, %llu objects, %u threads\n", path,
		(unsigned long long)r.events, (unsigned long long)r.objects, r.threads);
	if (r.dropped)
		fprintf(stderr, "kmalloc-bench: the log was full: the last %llu calls are "
			"missing (see --limit)\n", (unsigned long long)r.dropped);
	if (r.events == 0)
		fatal("nothing was recorded: is the program linked statically?");
}

/* Where no file is named: the program's name in this folder. */
static char *default_file(const char *program)
{
	const char *slash = strrchr(program, '/');

	return xprintf("%s.kmt", slash ? slash + 1 : program);
}

int command_record(struct request *r)
{
	int first = r->program_only ? 1 : 2, status;
	struct raw_log log;

	if (r->argc <= first)
		fatal("record [FILE] -- PROGRAM…");
	create_log(&log, r->limit_mib);
	status = run_program(&log, r->argv + first);
	pack_log(&log, r->program_only ? default_file(r->argv[1]) : r->argv[1]);
	munmap(log.file, log.size);
	unlink(log.path);
	return status;
}
