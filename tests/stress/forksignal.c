/* SPDX-License-Identifier: MIT */
/*
 * fork() in a signal handler that interrupted malloc. fork is async-signal-safe
 * by the letter of older POSIX, shells and daemons do it, and with glibc it
 * works in a single-threaded process: the handler forks, the child execs or
 * leaves, the interrupted call goes on. The trap is a prepare handler that waits
 * for a lock which the interrupted code holds.
 */
#include "stress.h"

#include <sys/time.h>

#define PATIENCE	20

static volatile sig_atomic_t forks, bad_children;

/* One shot, armed again when the handler is done: a slow fork must not starve the loop. */
static void arm(long usec)
{
	const struct itimerval it = { { 0, 0 }, { 0, usec } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void on_alarm(int sig)
{
	int saved = errno, status;

	(void)sig;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0) {
		if (waitpid(pid, &status, 0) != pid || status != 0)
			bad_children++;
		forks++;
	}
	errno = saved;
	arm(500 + forks % 7 * 100);
}

static void hammer(double until, size_t blocks, size_t max)
{
	struct rng r = rng_new(max);
	static void *p[512];
	static size_t size[512];

	while (now() < until)
		for (int i = 0; i < 1000; i++) {
			size_t k = rng_below(&r, blocks);

			if (p[k]) {
				MUST(stamp_holds(p[k], size[k], k), "block %p is damaged", p[k]);
				free(p[k]);
			}
			size[k] = rng_size(&r, max);
			p[k] = malloc(size[k]);
			MUST(p[k], "malloc(%zu)", size[k]);
			stamp(p[k], size[k], k);
		}
	for (size_t k = 0; k < blocks; k++) {
		free(p[k]);
		p[k] = NULL;
	}
}

static void act(size_t blocks, size_t max)
{
	const struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &sa, NULL);
	arm(1000);
	hammer(deadline(), blocks, max);
	signal(SIGALRM, SIG_IGN);
	_exit(forks > 0 && bad_children == 0 ? 0 : 1);
}

/* In a child of its own, so that a hang can be told from a long run. */
static void theme(size_t blocks, size_t max, const char *what)
{
	pid_t pid = fork();

	if (pid == 0)
		act(blocks, max);
	int status = wait_child(pid, stress.seconds + PATIENCE);

	if (status == -1)
		say(1, "# hung: the handler's fork never came back\n");
	ok(ended_well(status), what);
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "forksignal");
	stress.seconds /= 2;
	theme(512, 500, "fork in a handler that interrupted small malloc");
	theme(256, 200000, "fork in a handler that interrupted page runs");
	theme(8, 10 * MIB, "fork in a handler that interrupted large blocks");
	return stress_end();
}
