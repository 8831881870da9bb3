/* SPDX-License-Identifier: MIT */
/*
 * Sampled guards: each mistake with a guarded object is made in a process of its own, with every
 * slow allocation guarded, and the report compared; and what must go on working with them: the
 * program's handlers of SIGSEGV, fork, threads, a seccomp filter, an exhausted pool.
 */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../stress/filter.h"

#define ALL	"kfence_every:1"
#define FINE	0
#define PAGE	4096ul
#define SIZE	33ul

static void *hidden(const void *p)
{
	uintptr_t v = (uintptr_t)p;

	__asm__ volatile("" : "+r"(v) : : "memory");
	return (void *)v;
}

static void touch(volatile char *p)
{
	*p = (char)(*p + 1);
}

/*
 * A guarded object at the right end of its page: no ordinary object has exactly its usable size,
 * but for multiples of 16; those of a page are at the end of one in any case.
 */
static char *guarded(size_t size)
{
	for (unsigned i = 0; i < 1000000; i++) {
		char *p = malloc(size);

		if ((uintptr_t)p % PAGE == ((PAGE - size) & ~15ul) &&
		    (size == PAGE || malloc_usable_size(p) == size))
			return hidden(p);
		if (i % 5000 == 4999)
			usleep(4000);	/* samples by time need some */
	}
	_exit(3);
}

static void write_right(void) { touch(guarded(SIZE) + 48); }
static void read_left(void) { touch((char *)hidden(guarded(PAGE)) - 1); }

static void read_only(void)
{
	volatile char *p = guarded(SIZE) + 48;

	(void)*p;
}

static void use_freed(void)
{
	char *p = guarded(SIZE);

	free(p);
	memset(hidden(p), 1, 1);
}

static void write_near(void)
{
	char *p = guarded(SIZE);

	p[SIZE] = 1;
	free(p);
}

static void write_before(void)
{
	char *p = guarded(SIZE);

	touch((char *)hidden(p) - 1);
	free(p);
}

static void free_twice(void)
{
	char *p = guarded(SIZE);

	free(p);
	free(hidden(p));
}

static void free_inside(void) { free(guarded(SIZE) + 16); }

static void realloc_freed(void)
{
	char *p = guarded(SIZE);

	free(p);
	free(realloc(hidden(p), 100));
}

/* What works as ever. */

static void resize(void)
{
	char *p = guarded(SIZE);

	memset(p, 7, SIZE);
	p = realloc(p, 3000);
	if (p[SIZE - 1] != 7)
		_exit(4);
	p = realloc(p, 20);
	if (p[19] != 7)
		_exit(4);
	free(p);
}

static void exhaust(void)
{
	static char *p[5000];

	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 5000; i++) {
			size_t size = 1 + (i * 37) % 4096;

			p[i] = i % 2 ? malloc(size) : calloc(1, size);
			memset(p[i], (int)i, size);
		}
		for (unsigned i = 0; i < 5000; i++) {
			if (p[i][0] != (char)i || p[i][(i * 37) % 4096] != (char)i)
				_exit(4);
			free(p[i]);
		}
	}
}

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* A handler that the program sets gets the faults from then on. */
static void own_handler(void)
{
	char *p = guarded(SIZE);

	signal(SIGSEGV, jump);
	if (!sigsetjmp(back, 1)) {
		touch(p + 48);
		_exit(4);
	}
	free(p);
}

static void sent(void)
{
	kill(getpid(), SIGSEGV);
	pause();
}

static void null_pointer(void) { touch(hidden(NULL)); }

static void forked(void)
{
	char *p = guarded(SIZE);
	int status;
	pid_t pid = fork();

	if (!pid) {
		exhaust();
		touch(p + 48);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	p[0] = 1;
	free(p);
	if (!WIFSIGNALED(status))
		_exit(4);
}

static void *churn(void *arg)
{
	char *p[64] = { NULL };

	for (unsigned i = 0; i < 40000; i++) {
		unsigned k = (i * 7 + (unsigned)(uintptr_t)arg) % 64;

		if (p[k] && p[k][0] != (char)k)
			_exit(4);
		free(p[k]);
		p[k] = malloc(1 + i % 3000);
		p[k][0] = (char)k;
	}
	for (unsigned k = 0; k < 64; k++)
		free(p[k]);
	return NULL;
}

static void threads(void)
{
	pthread_t t[4];

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, churn, (void *)i);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static void confined(void)
{
	static const long allowed[] = {
		SYS_read, SYS_write, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_mmap,
		SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_futex, SYS_brk,
		SYS_clock_gettime,
	};

	if (filter_install(allowed, sizeof(allowed) / sizeof(allowed[0]), SECCOMP_RET_ALLOW,
			   SECCOMP_RET_KILL_PROCESS))
		_exit(77);
	exhaust();
	guarded(SIZE);
	_exit(0);
}

/* After a report the program goes on. */
static void go_on(void)
{
	char *p = guarded(SIZE);

	touch(p + 48);
	free(p);
}

static const struct row {
	const char *name;
	void (*run)(void);
	const char *options;
	int signal;			/* it dies of this, or FINE */
	const char *title, *text;	/* both are in the report; NULL: there is none */
} rows[] = {
	{ "write to the right", write_right, ALL, SIGSEGV,
	  "BUG: KFENCE: out-of-bounds read in 0x", "B right of kfence-#" },
	{ "read to the right", read_only, ALL, SIGSEGV,
	  "BUG: KFENCE: out-of-bounds read in 0x", "Out-of-bounds read at 0x" },
	{ "to the left", read_left, ALL, SIGSEGV,
	  "BUG: KFENCE: out-of-bounds read in 0x", "(1B left of kfence-#" },
	{ "use after free", use_freed, ALL, SIGSEGV,
	  "BUG: KFENCE: use-after-free write in 0x", "freed by thread 0x" },
	{ "write close behind", write_near, ALL, SIGABRT,
	  "BUG: KFENCE: memory corruption in 0x", " [ 0x01 ." },
	{ "write close before", write_before, ALL, SIGABRT,
	  "BUG: KFENCE: memory corruption in 0x", " [ 0xae ]" },
	{ "free twice", free_twice, ALL, SIGABRT,
	  "BUG: KFENCE: invalid free in 0x", "freed by thread 0x" },
	{ "free inside", free_inside, ALL, SIGABRT,
	  "BUG: KFENCE: invalid free in 0x", "allocated by thread 0x" },
	{ "realloc after free", realloc_freed, ALL, SIGABRT, "libkmalloc: realloc of 0x",
	  "which is free (pages)" },
	{ "on_corruption:warn goes on after a fault", go_on, ALL ",on_corruption:warn", FINE,
	  "BUG: KFENCE: out-of-bounds read in 0x", "B right of kfence-#" },
	{ "on_corruption:warn goes on after a free", free_twice, ALL ",on_corruption:warn", FINE,
	  "BUG: KFENCE: invalid free in 0x", "freed by thread 0x" },
	{ "realloc", resize, ALL, FINE, NULL, NULL },
	{ "an exhausted pool", exhaust, ALL, FINE, NULL, NULL },
	{ "a handler of the program's own", own_handler, ALL, FINE, NULL, NULL },
	{ "a NULL pointer", null_pointer, ALL, SIGSEGV, NULL, NULL },
	{ "a SIGSEGV that was sent", sent, ALL, SIGSEGV, NULL, NULL },
	{ "fork", forked, ALL, FINE, "BUG: KFENCE: out-of-bounds read in 0x", "kfence-#" },
	{ "threads", threads, ALL, FINE, NULL, NULL },
	{ "a seccomp filter", confined, ALL, FINE, NULL, NULL },
	{ "by time", read_only, "kfence_sample_interval:1", SIGSEGV,
	  "BUG: KFENCE: out-of-bounds read in 0x", "allocated by thread 0x" },
	{ "hardened mode", read_only, ALL ",hardened:1", SIGSEGV,
	  "BUG: KFENCE: out-of-bounds read in 0x", "allocated by thread 0x" },
};

#define NR_ROWS	(sizeof(rows) / sizeof(rows[0]))

static void become(unsigned number, int err)
{
	const struct rlimit no_core = { 0, 0 };
	char arg[16];

	setrlimit(RLIMIT_CORE, &no_core);
	dup2(err, 2);
	alarm(60);
	setenv("KMALLOC_OPTIONS", rows[number].options, 1);
	snprintf(arg, sizeof(arg), "%u", number);
	execl("/proc/self/exe", "kfence", arg, (char *)NULL);
	_exit(127);
}

static int run(unsigned number, char *text, size_t room)
{
	size_t used = 0;
	int err[2], status = -1;
	ssize_t n;
	pid_t pid;

	if (pipe(err))
		return -1;
	pid = fork();
	if (!pid)
		become(number, err[1]);
	close(err[1]);
	while ((n = read(err[0], text + used, room - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	waitpid(pid, &status, 0);
	close(err[0]);
	return status;
}

static const char *judge(const struct row *row, int status, const char *text)
{
	if (row->signal ? !WIFSIGNALED(status) || WTERMSIG(status) != row->signal :
			  !WIFEXITED(status) || WEXITSTATUS(status))
		return "it ended in another way";
	if (!row->title)
		return *text ? "it should have said nothing" : NULL;
	return strstr(text, row->title) && strstr(text, row->text) ? NULL : "another report";
}

static bool report(unsigned i)
{
	static char text[1 << 16];
	int status = run(i, text, sizeof(text));
	const char *why = judge(&rows[i], status, text);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("ok %u - %s # SKIP seccomp is not available here\n", i + 1, rows[i].name);
		return true;
	}
	printf("%sok %u - %s\n", why ? "not " : "", i + 1, rows[i].name);
	if (why)
		printf("# %s; wait status %#x\n# it said: %s\n", why, (unsigned)status, text);
	fflush(stdout);
	return !why;
}

int main(int argc, char **argv)
{
	unsigned failed = 0;

	if (argc == 2) {
		rows[(unsigned)atoi(argv[1]) % NR_ROWS].run();
		return 0;
	}
	printf("1..%zu\n", NR_ROWS);
	for (unsigned i = 0; i < NR_ROWS; i++)
		failed += !report(i);
	return failed != 0;
}
