/* SPDX-License-Identifier: MIT */
/*
 * support.c: what workloads need from their process without touching the allocator under test:
 * memory from mmap, threads that start together, /proc fields, and lines to the driver.
 *
 * Everything is formatted on the stack and written with write(2): stdio would allocate a buffer,
 * and the first malloc of the process belongs to the workload.
 */
#include "worker/worker.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_WRONG = 3, EXIT_SKIP = 77, MAX_THREADS = 1024, PROC_TEXT = 8192 };

static int out_fd = 1;

void say_to(int fd)
{
	out_fd = fd;
}

static void say_v(const char *prefix, const char *fmt, va_list ap)
{
	char line[512];
	int n = snprintf(line, sizeof(line), "%s", prefix);

	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(out_fd, line, (size_t)n) != n)
		_exit(EXIT_WRONG);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_v("", fmt, ap);
	va_end(ap);
}

void work_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_v("fail ", fmt, ap);
	va_end(ap);
	_exit(EXIT_WRONG);
}

void work_skip(const char *why)
{
	say("skip %s", why);
	_exit(EXIT_SKIP);
}

void *work_map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		work_fail("mmap of %zu bytes for bookkeeping", bytes);
	return p;
}

void work_unmap(void *p, size_t bytes)
{
	munmap(p, bytes);
}

size_t work_count(const struct run *run, size_t n, size_t least)
{
	size_t count = (size_t)((double)n * run->scale);

	return count < least ? least : count;
}

uint64_t work_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

work_symbol_fn *work_symbol(const char *name)
{
	return (work_symbol_fn *)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

/* The text of a file in /proc, cut to the buffer; an empty text if it cannot be read. */
static void proc_text(const char *file, char *text, size_t size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	if (fd >= 0)
		close(fd);
}

static long field(const char *text, const char *name)
{
	const char *hit = strstr(text, name);

	return hit ? strtol(hit + strlen(name), NULL, 10) : -1;
}

long work_proc_kib(const char *file, const char *name)
{
	char text[PROC_TEXT];

	proc_text(file, text, sizeof(text));
	return field(text, name);
}

void work_observe(uint64_t live)
{
	char text[PROC_TEXT];

	proc_text("/proc/self/smaps_rollup", text, sizeof(text));
	say("held %llu %ld %ld %ld %ld", (unsigned long long)live / 1024, field(text, "\nRss:"),
	    field(text, "\nPrivate_Dirty:"), field(text, "\nLazyFree:"),
	    field(text, "\nAnonHugePages:"));
}

struct starter {
	struct run *run;
	work_fn *fn;
	void *arg;
	pthread_barrier_t *gate;
	unsigned index;
};

static void *start(void *arg)
{
	struct starter *s = arg;

	pthread_barrier_wait(s->gate);
	s->fn(s->run, s->index, s->arg);
	return NULL;
}

void work_parallel(struct run *run, unsigned threads, work_fn *fn, void *arg)
{
	static struct starter starters[MAX_THREADS];
	static pthread_t ids[MAX_THREADS];
	pthread_barrier_t gate;

	if (threads > MAX_THREADS)
		work_fail("%u threads: at most %d", threads, MAX_THREADS);
	pthread_barrier_init(&gate, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		starters[i] = (struct starter){ run, fn, arg, &gate, i };
		if (pthread_create(&ids[i], NULL, start, &starters[i]))
			work_fail("cannot create thread %u", i);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	pthread_barrier_destroy(&gate);
}
