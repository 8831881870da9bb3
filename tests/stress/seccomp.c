/* SPDX-License-Identifier: MIT */
/*
 * Under a seccomp filter that allows what glibc's malloc uses and kills for
 * anything else: the way sshd and dhcpcd run. The filter comes either right at
 * the start or after the heap has been used for a while (long enough that helper
 * work of the library is under way), and the process must live through all sizes.
 */
#include "stress.h"

#include "filter.h"

static const long allowed[] = {
	SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_rt_sigreturn,
	SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_futex, SYS_brk,
	SYS_clock_gettime,
};

static void use_all_sizes(struct rng *r, size_t rounds)
{
	static unsigned char *p[300];
	static size_t size[300];

	for (size_t n = 0; n < rounds; n++) {
		size_t k = rng_below(r, ARRAY_SIZE(p));

		if (p[k]) {
			MUST(stamp_holds(p[k], size[k], k), "block of %zu bytes is damaged", size[k]);
			if (n & 1) {
				size[k] = rng_size(r, 9 * MIB);
				p[k] = realloc(p[k], size[k] + 1);
			} else {
				free(p[k]);
				p[k] = NULL;
				continue;
			}
		} else {
			size[k] = rng_size(r, n % 50 ? 30000 : 9 * MIB);
			p[k] = n & 2 ? calloc(1, size[k]) : malloc(size[k]);
		}
		MUST(p[k], "malloc(%zu)", size[k]);
		stamp(p[k], size[k], k);
	}
	for (size_t k = 0; k < ARRAY_SIZE(p); k++) {
		free(p[k]);
		p[k] = NULL;
	}
	malloc_trim(0);
}

static _Noreturn void confined(bool early)
{
	struct rng r = rng_new(early);
	double until;

	if (!early) {
		use_all_sizes(&r, 20000);
		nap(300);
	}
	if (filter_install(allowed, ARRAY_SIZE(allowed), SECCOMP_RET_ALLOW,
			   SECCOMP_RET_KILL_PROCESS))
		_exit(77);
	until = deadline();
	while (now() < until)
		use_all_sizes(&r, 5000);
	_exit(0);
}

static void theme(bool early, const char *what)
{
	pid_t pid = fork();

	if (pid == 0)
		confined(early);
	int status = wait_child(pid, stress.seconds + 60);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		skip(what, "seccomp is not available here");
		return;
	}
	if (status != -1 && WIFSIGNALED(status))
		say(1, "# killed by signal %d (%d is a forbidden call)\n", WTERMSIG(status), SIGSYS);
	ok(ended_well(status), what);
}

/* The true start: a program whose first allocation comes under the filter. */
static void theme_after_exec(const char *self)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl(self, self, "--confined", (char *)NULL);
		_exit(1);
	}
	int status = wait_child(pid, stress.seconds + 60);

	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		skip("a fresh program", "seccomp is not available here");
		return;
	}
	ok(ended_well(status), "a fresh program");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--confined") == 0) {
		stress.name = "seccomp";
		stress.seconds = 1;
		confined(true);
	}
	stress_begin(argc, argv, "seccomp");
	theme(true, "after fork, first use under the filter");
	theme(false, "a filter over a used heap");
	theme_after_exec("/proc/self/exe");
	return stress_end();
}
