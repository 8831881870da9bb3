/* SPDX-License-Identifier: MIT */
/*
 * A set-user-ID program reads none of our options (AT_SECURE). Needs root: makes
 * a copy of itself that belongs to nobody's user id and is set-user-ID, then runs
 * it with KMALLOC_OPTIONS=help:1, which prints when options are read and must
 * print nothing here. The control run without the bit shows that it would.
 */
#include "stress.h"

#include <sys/auxv.h>
#include <sys/stat.h>

#define NOBODY	65534

static char copy[256];

static bool copy_self(void)
{
	char text[65536];
	int in = open("/proc/self/exe", O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		return false;
	while ((n = read(in, text, sizeof(text))) > 0)
		if (write(out, text, (size_t)n) != n)
			return false;
	close(in);
	return close(out) == 0 && n == 0;
}

/* Runs the copy and reads what it says on both outputs; the exit status, or -1. */
static int run_copy(char *said, size_t room)
{
	int fd[2];

	if (pipe(fd))
		return -1;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(fd[1], 1);
		dup2(fd[1], 2);
		setenv("KMALLOC_OPTIONS", "help:1", 1);
		execl(copy, "atsecure", "--secured", (char *)NULL);
		_exit(127);
	}
	close(fd[1]);
	size_t have = 0;
	ssize_t n;

	while (have < room - 1 && (n = read(fd[0], said + have, room - 1 - have)) > 0)
		have += (size_t)n;
	said[have] = '\0';
	close(fd[0]);
	int status = wait_child(pid, 20);

	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The copy: 42 if the kernel calls it secure, 43 if not, 99 if it runs on another malloc. */
static int secured(void)
{
	free(malloc(100));
	stress_require_ours();
	return getauxval(AT_SECURE) ? 42 : 43;
}

static void compare(void)
{
	static char plain[65536], suid[65536];
	int code = run_copy(plain, sizeof(plain));

	if (code != 43 || !*plain) {
		ok(false, "an ordinary copy reads the options");
		say(1, "# exit code %d, and it said %zu bytes\n", code, strlen(plain));
		return;
	}
	ok(true, "an ordinary copy reads the options");
	if (chown(copy, NOBODY, NOBODY) || chmod(copy, 04755)) {
		skip("a set-user-ID copy reads none", "cannot set the bit");
		return;
	}
	code = run_copy(suid, sizeof(suid));
	if (code == 43 || code == 127 || code == EXIT_HARD) {
		skip("a set-user-ID copy reads none",
		     code == 43 ? "the file system ignores the bit" : "the library is out of its reach");
		return;
	}
	if (!ok(code == 42 && !*suid, "a set-user-ID copy reads none"))
		say(1, "# exit code %d, it said: %.200s\n", code, suid);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--secured") == 0)
		return secured();
	stress_begin(argc, argv, "atsecure");
	if (geteuid() != 0) {
		skip("a set-user-ID copy reads none", "needs root");
		return stress_end();
	}
	snprintf(copy, sizeof(copy), "/tmp/atsecure-%d", (int)getpid());
	MUST(copy_self(), "cannot copy the program to %s", copy);
	compare();
	unlink(copy);
	return stress_end();
}
