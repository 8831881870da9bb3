/* SPDX-License-Identifier: MIT */
/*
 * gap-startup.c: what an allocator costs a process that hardly allocates.
 *
 * Stands for: shell scripts and configure runs: 1 000 times fork, exec of `true`, wait, with the
 * allocator preloaded; and the private dirty memory of a process after its first malloc(16), which
 * a machine with hundreds of small processes pays hundreds of times.
 * Literature: mimalloc issue 431 (very short runs measure start-up), here measured on purpose.
 * Does not show: the cost of the first allocation of each size, of the first thread.
 */
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "worker/work.h"

extern char **environ;

enum { PROCESSES = 125 };

static void spawn_true(void)
{
	char *argv[] = { (char *)"true", NULL };
	int status;
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
		work_fail("cannot start /bin/true");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		work_fail("/bin/true ended with status %#x", (unsigned)status);
}

static uint64_t startup_slice(struct run *run)
{
	size_t n = work_count(run, PROCESSES, 10);

	for (size_t i = 0; i < n; i++)
		spawn_true();
	return n;
}

const struct workload gap_startup = {
	.name = "startup", .family = "micro", .unit = "process", .flags = W_QUICK | W_NOLAT,
	.slices = 8, .what = "fork, exec and wait for `true`",
	.slice = startup_slice,
};

static uint64_t dirty_slice(struct run *run)
{
	void *volatile p = malloc(16);

	if (!p)
		work_fail("malloc(16)");
	memset(p, 1, 16);
	run->value = (double)work_proc_kib("/proc/self/smaps_rollup", "Private_Dirty:");
	if (run->value < 0)
		work_skip("no /proc/self/smaps_rollup here");
	return 1;
}

const struct workload gap_first_dirty = {
	.name = "first-dirty", .family = "micro", .unit = "KiB",
	.flags = W_QUICK | W_VALUE | W_NOLAT, .slices = 1,
	.what = "private dirty memory of a process after its first malloc(16)",
	.slice = dirty_slice,
};
