/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the layers share: random numbers that are the same in each run, threads, what
 * the library writes to standard error, and children that are expected to die.
 *
 * The library is not this process's malloc here (libkmcore), so each test is free to break it.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <criterion/criterion.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/compiler.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN	true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN	true
#endif
#endif

#if !defined(UNDER_ASAN)
#define UNDER_ASAN	false
#endif

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One sequence a thread. */
static __thread uint64_t random_seed = UINT64_C(0x2545f4914f6cdd1d);

__attribute__((unused)) static uint64_t random_below(uint64_t n)
{
	return random_next(&random_seed) % n;
}

/* Small sizes as often as large ones: uniform in the logarithm. */
__attribute__((unused)) static size_t random_size(unsigned max_bits)
{
	return 1 + random_below(UINT64_C(1) << random_below(max_bits + 1));
}

__attribute__((unused)) static void run_threads(unsigned n, void *(*fn)(void *), void *arg)
{
	pthread_t threads[16];
	unsigned i;

	cr_assert(n <= 16);
	for (i = 0; i < n; i++)
		cr_assert(pthread_create(&threads[i], NULL, fn, arg) == 0);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

/* Between these two standard error goes to memory. */
struct captured {
	int saved, memory;
	char text[2048];
};

__attribute__((unused)) static void capture_begin(struct captured *c)
{
	memset(c, 0, sizeof(*c));
	c->memory = memfd_create("stderr", MFD_CLOEXEC);
	c->saved = dup(2);
	cr_assert(c->memory >= 0 && c->saved >= 0);
	dup2(c->memory, 2);
}

__attribute__((unused)) static const char *capture_end(struct captured *c)
{
	ssize_t n;

	dup2(c->saved, 2);
	close(c->saved);
	n = pread(c->memory, c->text, sizeof(c->text) - 1, 0);
	c->text[n > 0 ? n : 0] = '\0';
	close(c->memory);
	return c->text;
}

/* Runs @fn in a child that writes nowhere and returns the status of waitpid. */
__attribute__((unused)) static int in_child(void (*fn)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	cr_assert(pid >= 0);
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		close(2);
		alarm(20);
		fn(arg);
		_exit(0);
	}
	cr_assert(waitpid(pid, &status, 0) == pid);
	return status;
}

__attribute__((unused)) static bool died_of(int status, int sig)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

__attribute__((unused)) static bool all_zero(const void *memory, size_t n)
{
	const unsigned char *bytes = memory;

	return !n || (!bytes[0] && memcmp(bytes, bytes + 1, n - 1) == 0);
}

#endif
