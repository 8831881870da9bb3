/* SPDX-License-Identifier: MIT */
/*
 * Those who only look at the heap hold locks too. While threads ask for sizes and statistics, the
 * process forks and the child uses what they were looking at; signal handlers interrupt such calls
 * and trimming, and allocate or fork. And a thread that ends has its storage freed by the C library
 * with locks held, so that free must not call back into it.
 */
#include "stress.h"

#include <limits.h>
#include <sys/time.h>

#define AREA	(16 * MIB)

static atomic_bool stop;
static atomic_int handled;

static void *ask_for_sizes(void *area)
{
	while (!atomic_load(&stop))
		MUST(malloc_usable_size(area) >= AREA, "the area shrank");
	return NULL;
}

static void *ask_for_statistics(void *arg)
{
	while (!atomic_load(&stop))
		MUST(mallinfo2().hblks > 0, "the area is not counted");
	return arg;
}

static void use_everything(void)
{
	free(malloc(2 * AREA));
	malloc_trim(0);
}

static bool children_live(void)
{
	double end = deadline();

	while (now() < end) {
		pid_t pid = fork();

		MUST(pid >= 0, "fork: %s", strerror(errno));
		if (!pid) {
			use_everything();
			_exit(0);
		}
		if (!ended_well(wait_child(pid, 10)))
			return false;
	}
	return true;
}

static void fork_beside(void *(*fn)(void *), const char *what)
{
	void *area = malloc(AREA);
	pthread_t t[2];

	atomic_store(&stop, false);
	for (int i = 0; i < 2; i++)
		t[i] = thread_start(fn, area);
	ok(children_live(), what);
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	free(area);
}

/* -- Handlers -- */

static void allocate(int sig)
{
	(void)sig;
	free(malloc(2 * AREA));
	atomic_fetch_add(&handled, 1);
}

static void fork_too(int sig)
{
	pid_t pid = fork();

	(void)sig;
	if (!pid)
		_exit(0);
	MUST(ended_well(wait_child(pid, 10)), "the child of a handler hangs");
	atomic_fetch_add(&handled, 1);
}

static void trim(void *area)
{
	(void)area;
	malloc_trim(0);
}

static void ask(void *area)
{
	malloc_usable_size(area);
}

/* In a child of its own, since what it looks for is a hang. */
static void interrupt(void (*call)(void *), void (*handler)(int), const char *what)
{
	const struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };
	double end;
	void *area;
	pid_t pid = fork();

	if (pid) {
		ok(ended_well(wait_child(pid, stress.seconds + 20)), what);
		return;
	}
	area = malloc(AREA);
	end = deadline();
	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &often, NULL);
	while (now() < end)
		call(area);
	setitimer(ITIMER_REAL, &never, NULL);
	_exit(atomic_load(&handled) == 0);
}

/* -- The end of a thread -- */

static pthread_key_t key;

/* The last thing it does makes so many pages free that the helper thread seems worth its while. */
static void shrink_late(void *block)
{
	static __thread int rounds;

	if (++rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(key, block);
	else if (!realloc(block, 64 * KIB))
		abort();
}

static void *short_life(void *arg)
{
	void *block = malloc(3 * MIB);

	memset(block, 1, 3 * MIB);
	pthread_setspecific(key, block);
	return arg;
}

static void *long_life(void *arg)
{
	free(malloc(1));
	pause();
	return arg;
}

/* Stacks larger than the C library's cache of them: each end of a thread frees another one's. */
static void many_ends(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * MIB);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_key_create(&key, shrink_late);
	thread_start(long_life, NULL);
	for (int i = 0; i < 100; i++) {
		pthread_create(&t, &attr, short_life, NULL);
		usleep(1000 + (useconds_t)i * 97);
	}
	_exit(0);
}

static void thread_ends(void)
{
	pid_t pid = fork();

	if (!pid)
		many_ends();
	ok(ended_well(wait_child(pid, 20)), "the helper is not made while a thread is taken down");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "looking");
	fork_beside(ask_for_sizes, "fork while others ask for sizes");
	fork_beside(ask_for_statistics, "fork while others ask for statistics");
	interrupt(ask, allocate, "handlers allocate in the middle of malloc_usable_size");
	interrupt(trim, fork_too, "handlers fork in the middle of malloc_trim");
	thread_ends();
	return stress_end();
}
