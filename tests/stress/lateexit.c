/* SPDX-License-Identifier: MIT */
/*
 * Allocating and freeing when the party is over: in pthread_key destructors of
 * every round, in C++ style thread_local destructors, by the parent after the
 * thread has gone, in atexit handlers while other threads still run, and in the
 * destructor functions of the program.
 */
#include "stress.h"

#define KEYS	8

/* What libstdc++ registers thread_local destructors with. */
extern int __cxa_thread_atexit_impl(void (*fn)(void *), void *arg, void *dso);
extern void *__dso_handle;

static pthread_key_t keys[KEYS];
static atomic_int destroyed;

static void *work_a_little(size_t salt)
{
	void *p[100];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = malloc(1 + (i * 37 + salt) % 5000);
		MUST(p[i], "malloc in a destructor");
		stamp(p[i], 1 + (i * 37 + salt) % 5000, i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		MUST(stamp_holds(p[i], 1 + (i * 37 + salt) % 5000, i), "damaged in a destructor");
		if (i)
			free(p[i]);
	}
	return p[0];
}

/* Sets its key again as often as POSIX allows: some round comes after ours. */
static void key_destructor(void *value)
{
	size_t *count = value;
	size_t key = count[0], round = count[1];

	free(work_a_little(key * 100 + round));
	free(value);
	atomic_fetch_add(&destroyed, 1);
	if (round + 1 < 4) {
		count = malloc(2 * sizeof(*count));
		count[0] = key;
		count[1] = round + 1;
		pthread_setspecific(keys[key], count);
	}
}

static void tls_destructor(void *value)
{
	free(work_a_little(7));
	free(value);
	atomic_fetch_add(&destroyed, 1);
}

static void *thread(void *arg)
{
	(void)arg;
	__cxa_thread_atexit_impl(tls_destructor, malloc(333), &__dso_handle);
	for (size_t i = 0; i < KEYS; i++) {
		size_t *count = malloc(2 * sizeof(*count));

		count[0] = i;
		count[1] = 0;
		pthread_setspecific(keys[i], count);
	}
	return work_a_little(3);
}

static void destructors(void)
{
	const int rounds = (int)(stress.seconds * 50);
	pthread_t t[8];

	for (int n = 0; n < rounds; n++) {
		for (int i = 0; i < 8; i++)
			t[i] = thread_start(thread, NULL);
		for (int i = 0; i < 8; i++) {
			void *left;

			pthread_join(t[i], &left);
			free(left);
		}
	}
	ok(destroyed == rounds * 8 * (1 + KEYS * 4), "key and thread_local destructors");
}

static void *thread_without_malloc(void *arg)
{
	free(arg);
	return NULL;
}

/* A thread whose only call is one free, and one that calls nothing at all. */
static void threads_that_only_free(void)
{
	size_t before = 0;

	for (int n = 0; n < 2000; n++) {
		pthread_t t = thread_start(thread_without_malloc, malloc(100 + (size_t)n % 3000));

		pthread_join(t, NULL);
		if (n == 500)
			before = resident();
	}
	ok(resident() < before + 2 * MIB, "threads that only free");
}

static void *busy(void *arg)
{
	for (size_t i = (uintptr_t)arg;; i++)
		free(work_a_little(i));
	return NULL;
}

static void *kept;

static void at_exit(void)
{
	free(kept);
	kept = work_a_little(11);
	free(work_a_little(12));
}

__attribute__((destructor)) static void last_of_all(void)
{
	free(kept);
	kept = NULL;
	free(work_a_little(13));
}

/* exit() while four threads are in the middle of malloc and free. */
static void exit_under_load(void)
{
	int bad = 0;

	for (int n = 0; n < 30; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			atexit(at_exit);
			kept = malloc(1234);
			for (uintptr_t i = 0; i < 4; i++)
				thread_start(busy, (void *)(i * 1000));
			nap(5);
			exit(0);
		}
		bad += !ended_well(wait_child(pid, 20));
	}
	ok(bad == 0, "exit while other threads allocate");
}

/* The main thread ends first; the process lives on in another thread. */
static void *outlives_main(void *arg)
{
	nap(20);
	for (int i = 0; i < 100; i++)
		free(work_a_little((size_t)i));
	free(arg);
	exit(0);
}

static void main_thread_ends_first(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		thread_start(outlives_main, malloc(5000));
		pthread_exit(NULL);
	}
	ok(ended_well(wait_child(pid, 20)), "the main thread ends first");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "lateexit");
	for (int i = 0; i < KEYS; i++)
		MUST(pthread_key_create(&keys[i], key_destructor) == 0, "pthread_key_create");
	destructors();
	threads_that_only_free();
	exit_under_load();
	main_thread_ends_first();
	return stress_end();
}
