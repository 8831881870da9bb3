/* SPDX-License-Identifier: MIT */
/*
 * A core dump holds what the program used, not what the library has reserved:
 * apparent and real size of the file are below 64 MiB for a program that uses a
 * few. Only where cores are written as plain files (core_pattern).
 */
#include "stress.h"

#include <dirent.h>
#include <sys/stat.h>

#define MOST	(64 * MIB)

static char dir[64];

static bool plain_pattern(void)
{
	char text[256] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	close(fd);
	return *text != '|' && !strchr(text, '/');
}

static _Noreturn void crash(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (chdir(dir) || setrlimit(RLIMIT_CORE, &all))
		_exit(77);
	for (size_t i = 0; i < 4000; i++)
		memset(malloc(1000), 1, 1000);
	memset(malloc(100000), 1, 100000);
	memset(malloc(5 * MIB), 1, 100000);
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* The one file in dir; false if there is none. */
static bool find_core(struct stat *st)
{
	DIR *d = opendir(dir);
	bool found = false;
	char path[512];

	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		found = stat(path, st) == 0 || found;
		unlink(path);
	}
	if (d)
		closedir(d);
	return found;
}

static void theme(const char *what)
{
	struct stat st;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		crash();
	status = wait_child(pid, 120);
	if (status == -1 || !WIFSIGNALED(status) || !WCOREDUMP(status) || !find_core(&st)) {
		skip(what, "no core file was written");
		return;
	}
	say(1, "# apparent size %zu KiB, real size %zu KiB\n", (size_t)st.st_size / KIB,
	    (size_t)st.st_blocks / 2);
	ok((size_t)st.st_size < MOST && (size_t)st.st_blocks * 512 < MOST, what);
}

int main(int argc, char **argv)
{
	const char *what = "a core file without the reservation";

	stress_begin(argc, argv, "coresize");
	if (!plain_pattern()) {
		skip(what, "core_pattern sends cores elsewhere");
		return stress_end();
	}
	strcpy(dir, "/tmp/coresize-XXXXXX");
	MUST(mkdtemp(dir), "mkdtemp");
	theme(what);
	rmdir(dir);
	return stress_end();
}
