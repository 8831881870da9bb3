/* SPDX-License-Identifier: MIT */
/*
 * badmalloc.c: an allocator with a fault of choice, which kmalloc-bench must expose.
 *
 * BAD names the fault: slow (every call takes a microsecond more), leak (free does nothing), crash
 * (the 2 000th malloc ends the process), wrong (now and then two blocks are the same), hang (the
 * 2 000th malloc does not return). Memory comes from the C library.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FATAL_CALL = 2000, WRONG_EVERY = 500, SLOW_NS = 1000 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

static unsigned long calls;
static void *last;

static int fault(const char *name)
{
	static const char *chosen;

	if (!chosen)
		chosen = getenv("BAD") ? getenv("BAD") : "";
	return !strcmp(chosen, name);
}

static void dawdle(void)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < SLOW_NS);
}

static void misbehave(void)
{
	if (fault("slow"))
		dawdle();
	if (calls != FATAL_CALL)
		return;
	if (fault("crash"))
		raise(SIGSEGV);
	while (fault("hang"))
		pause();
}

void *malloc(size_t size)
{
	calls++;
	misbehave();
	if (fault("wrong") && calls % WRONG_EVERY == 0 && last)
		return last;
	last = __libc_malloc(size);
	return last;
}

void *calloc(size_t n, size_t size)
{
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return __libc_realloc(p, size);
}

void free(void *p)
{
	if (!fault("leak"))
		__libc_free(p);
}
