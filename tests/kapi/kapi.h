/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the kernel's interface share.
 */
#ifndef TESTS_KAPI_H
#define TESTS_KAPI_H

#include <criterion/criterion.h>

#include <linux/kernel.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	(1ul << 20)
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

/* A size the compiler must take as it comes. */
static inline size_t hide(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline bool all_bytes(const void *p, unsigned char value, size_t n)
{
	const unsigned char *at = p;

	while (n--)
		if (*at++ != value)
			return false;
	return true;
}

static inline bool is_aligned(const void *p, size_t align)
{
	return !((uintptr_t)p & (align - 1));
}

/* The system grants at most @more bytes of further writable memory from now on. */
static inline void refuse_memory_beyond(size_t more)
{
	struct rlimit limit;
	char line[128];
	size_t kib = 0;
	FILE *status = fopen("/proc/self/status", "r");

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmData: %zu", &kib);
	if (status)
		fclose(status);
	limit.rlim_cur = limit.rlim_max = kib * 1024 + more;
	cr_assert_eq(setrlimit(RLIMIT_DATA, &limit), 0);
}

/* What a process of its own makes of @fn; Criterion needs memory too. */
static inline int exit_status(void (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		fn();
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

#define THREADS	4

static inline void in_threads(void *(*fn)(void *), void *arg)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, fn, arg), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

#endif
