/* SPDX-License-Identifier: MIT */
/*
 * What the library needs to know of its process: time, sandboxes, threads.
 */
#include "os/os.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

#include "os/file.h"
#include "os/syscall.h"

/* Served by the vDSO; the coarse clock costs about 5 ns and steps every 1 to 4 ms. */
uint64_t os_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

#define RANDOM_NONBLOCK	1		/* GRND_NONBLOCK; <sys/random.h> is not everywhere */
#define AUXV_RANDOM_BYTES 16

/* The kernel's sixteen bytes serve where it has no getrandom(), or not enough entropy yet. */
void os_random(void *bytes, size_t size)
{
	const unsigned char *spare = (const unsigned char *)getauxval(AT_RANDOM);
	size_t i;

	if (os_syscall(SYS_getrandom, (long)bytes, (long)size, RANDOM_NONBLOCK, 0, 0, 0) ==
	    (long)size)
		return;
	for (i = 0; i < size; i++)
		((unsigned char *)bytes)[i] =
			(unsigned char)(spare ? spare[i % AUXV_RANDOM_BYTES] + i * 151 : i * 151);
}

int os_keep_fd(int fd)
{
	long copy = os_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 200, 0, 0, 0);

	return copy < 0 ? fd : (int)copy;
}

static bool status_says_no_filter(const char *text)
{
	const char *line = strstr(text, "\nSeccomp:\t");

	return line && line[sizeof("\nSeccomp:\t") - 1] == '0';
}

/*
 * openat is what the C library's malloc itself does in a program with threads (it reads
 * /proc/sys/vm/overcommit_memory before it shrinks an arena), so asking cannot kill a program
 * that runs there.  Any doubt counts as a sandbox.
 */
bool os_maybe_sandboxed(void)
{
	char text[4096];
	int fd = os_file_open("/proc/thread-self/status");

	if (fd < 0)
		return true;
	text[os_file_read(fd, text, sizeof(text) - 1)] = '\0';
	os_file_close(fd);
	return !status_says_no_filter(text);
}

#define THREAD_STACK	(128 << 10)	/* touched: one or two pages; room for large TLS blocks */

/*
 * Through the C library, so that setuid() and friends reach the thread and debuggers know it.
 * Before glibc 2.34 these names live in libpthread, which a program without threads does not load.
 */
extern __typeof__(pthread_create) pthread_create __weak_ref;
extern __typeof__(pthread_sigmask) pthread_sigmask __weak_ref;
extern __typeof__(pthread_attr_setstacksize) pthread_attr_setstacksize __weak_ref;
extern __typeof__(pthread_attr_setdetachstate) pthread_attr_setdetachstate __weak_ref;

int os_thread_create(void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t id;
	int ret;

	if (!pthread_create || !pthread_sigmask || pthread_attr_init(&attr))
		return -1;
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(&id, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return ret ? -1 : 0;
}
