/* SPDX-License-Identifier: MIT */
/*
 * fork() while other threads are inside malloc and free. The child allocates,
 * checks what it inherited, starts a thread, forks again, and leaves; a child
 * that hangs on a lock nobody will ever release is killed and counted. Also from
 * pthread_atfork handlers that allocate themselves, from several threads at the
 * same time, and while another thread holds a stdio lock.
 */
#include "stress.h"

#define CREW		4
#define INHERITED	500
#define PATIENCE	20.0	/* seconds until a child counts as hung */

static atomic_bool stop;
static void *inherited[INHERITED];
static atomic_int handlers_run;

static void exercise(struct rng *r, size_t rounds)
{
	void *p[64] = { 0 };
	size_t size[64];

	for (size_t i = 0; i < rounds; i++) {
		size_t k = rng_below(r, 64);

		if (p[k]) {
			MUST(stamp_holds(p[k], size[k], k), "block %p is damaged", p[k]);
			free(p[k]);
			p[k] = NULL;
		} else {
			size[k] = rng_size(r, 100000);
			p[k] = malloc(size[k]);
			MUST(p[k], "malloc(%zu)", size[k]);
			stamp(p[k], size[k], k);
		}
	}
	for (size_t k = 0; k < 64; k++)
		free(p[k]);
}

static void *crew_member(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);

	while (!atomic_load(&stop))
		exercise(&r, 200);
	return NULL;
}

static void *child_thread(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);

	exercise(&r, 1000);
	return NULL;
}

static void check_inheritance(void)
{
	for (size_t i = 0; i < INHERITED; i++) {
		MUST(stamp_holds(inherited[i], 1 + i * 13, i), "inherited block %zu is damaged", i);
		free(inherited[i]);
	}
}

static _Noreturn void child(uint64_t salt)
{
	struct rng r = rng_new(salt);

	exercise(&r, 500);
	check_inheritance();
	pthread_t t = thread_start(child_thread, (void *)(uintptr_t)salt);

	exercise(&r, 500);
	pthread_join(t, NULL);
	pid_t pid = fork();

	if (pid == 0) {
		exercise(&r, 200);
		_exit(0);
	}
	int status = wait_child(pid, PATIENCE / 2);

	/* exit, not _exit: the handlers of the program run too. */
	exit(ended_well(status) ? 0 : 1);
}

static int storm(double until, uint64_t salt)
{
	int bad = 0;

	for (uint64_t n = 0; now() < until && bad < 3; n++) {
		pid_t pid = fork();

		if (pid == 0)
			child(salt + n);
		MUST(pid > 0, "fork: %s", strerror(errno));
		int status = wait_child(pid, PATIENCE);

		if (!ended_well(status)) {
			say(1, "# child %llu: wait status %d (-1: hung)\n",
			    (unsigned long long)n, status);
			bad++;
		}
	}
	return bad;
}

static void start_crew(pthread_t *t)
{
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < CREW; i++)
		t[i] = thread_start(crew_member, (void *)i);
}

static void stop_crew(pthread_t *t)
{
	atomic_store(&stop, true);
	for (int i = 0; i < CREW; i++)
		pthread_join(t[i], NULL);
}

static void storm_from_main(void)
{
	pthread_t t[CREW];

	start_crew(t);
	ok(storm(deadline(), 100000) == 0, "fork while others allocate");
	stop_crew(t);
}

static void *forker(void *arg)
{
	return (void *)(intptr_t)storm(deadline() - stress.seconds / 2, (uintptr_t)arg);
}

/* Handlers of concurrent forks interleave. */
static void storm_from_threads(void)
{
	pthread_t t[CREW], f[3];
	intptr_t bad = 0;

	start_crew(t);
	for (uintptr_t i = 0; i < ARRAY_SIZE(f); i++)
		f[i] = thread_start(forker, (void *)(i * 1000000));
	for (size_t i = 0; i < ARRAY_SIZE(f); i++) {
		void *one;

		pthread_join(f[i], &one);
		bad += (intptr_t)one;
	}
	stop_crew(t);
	ok(bad == 0, "fork from several threads at once");
}

/* Holds the lock of stdout for a while and allocates under it, again and again. */
static void *lock_holder(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);

	while (!atomic_load(&stop)) {
		flockfile(stderr);
		exercise(&r, 300);
		funlockfile(stderr);
		FILE *f = fopen("/dev/null", "w");

		fprintf(f, "%d", 1);
		fclose(f);
	}
	return NULL;
}

/* glibc's fork takes the list lock of stdio after the handlers: do not wait for each other. */
static void storm_under_stdio_lock(void)
{
	pthread_t t[CREW];

	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < CREW; i++)
		t[i] = thread_start(lock_holder, (void *)i);
	ok(storm(deadline(), 200000) == 0, "fork while a thread holds a stdio lock");
	stop_crew(t);
}

static void *handed_over;

static void on_prepare(void)
{
	struct rng r = rng_new(1);

	handed_over = malloc(3000);
	stamp(handed_over, 3000, 5);
	exercise(&r, 50);
	atomic_fetch_add(&handlers_run, 1);
}

static void on_parent_or_child(void)
{
	struct rng r = rng_new(2);

	MUST(stamp_holds(handed_over, 3000, 5), "what prepare allocated is damaged");
	free(handed_over);
	exercise(&r, 50);
}

static void storm_with_handlers(void)
{
	pthread_t t[CREW];

	pthread_atfork(on_prepare, on_parent_or_child, on_parent_or_child);
	start_crew(t);
	ok(storm(deadline(), 300000) == 0 && handlers_run > 0, "atfork handlers that allocate");
	stop_crew(t);
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "forkstorm");
	stress.seconds /= 2;
	for (size_t i = 0; i < INHERITED; i++) {
		inherited[i] = malloc(1 + i * 13);
		stamp(inherited[i], 1 + i * 13, i);
	}
	storm_from_main();
	storm_from_threads();
	storm_under_stdio_lock();
	storm_with_handlers();
	return stress_end();
}
