/* SPDX-License-Identifier: MIT */
/*
 * mmap, mprotect, madvise, munmap and mremap that fail, from some moment on, one
 * at a time and all together: malloc returns NULL with ENOMEM or succeeds, what
 * is live stays intact, free keeps working and keeps errno. Never a crash.
 *
 * brk is left alone: it reports failure by the old break, which a filter cannot.
 */
#include "stress.h"

#include "filter.h"

#define BLOCKS	2000

static struct {
	unsigned char *p;
	size_t size;
} block[BLOCKS];

static size_t refused, granted;

static void drop(size_t k)
{
	MUST(stamp_holds(block[k].p, block[k].size, k), "block %p of %zu bytes is damaged",
	     (void *)block[k].p, block[k].size);
	errno = 4711;
	free(block[k].p);
	MUST(errno == 4711, "free set errno to %d", errno);
	block[k].p = NULL;
}

static void take(struct rng *r, size_t k, size_t max)
{
	size_t size = rng_size(r, max);

	errno = 0;
	unsigned char *p = rng_below(r, 3) ? malloc(size) : aligned_alloc(256, size);

	if (!p) {
		MUST(errno == ENOMEM, "NULL with errno %d", errno);
		refused++;
		return;
	}
	granted++;
	block[k].p = p;
	block[k].size = size;
	stamp(p, size, k);
}

static void grow(struct rng *r, size_t k, size_t max)
{
	size_t want = 1 + rng_size(r, max), have = block[k].size;
	unsigned char *p;

	MUST(stamp_holds(block[k].p, have, k), "block of %zu bytes is damaged", have);
	p = realloc(block[k].p, want);
	if (!p) {
		refused++;
		return;		/* the old block lives on: verified when it is dropped */
	}
	MUST(stamp_prefix_holds(p, want < have ? want : have, have, k), "realloc lost contents");
	block[k].p = p;
	block[k].size = want;
	stamp(p, want, k);
}

static void play(struct rng *r, size_t rounds, size_t max)
{
	for (size_t n = 0; n < rounds; n++) {
		size_t k = rng_below(r, BLOCKS);

		if (!block[k].p)
			take(r, k, n % 100 ? 2000 : max);
		else if (rng_below(r, 4) == 0)
			grow(r, k, n % 100 ? 4000 : max);
		else
			drop(k);
	}
}

static void *short_thread(void *arg)
{
	void *p[50];

	for (size_t i = 0; i < 50; i++)
		p[i] = malloc(100 * i);
	for (size_t i = 0; i < 50; i++)
		free(p[i]);
	return arg;
}

/* A waiting thread's first use of the heap comes when nothing can be mapped. */
static pthread_barrier_t gate;

static void *waiting_thread(void *arg)
{
	pthread_barrier_wait(&gate);
	return short_thread(arg);
}

static _Noreturn void deprived(const long *calls, size_t count)
{
	struct rng r = rng_new((uint64_t)calls[0] + count);
	pthread_t t;
	void *reserve[200];

	play(&r, 30000, 6 * MIB);
	pthread_barrier_init(&gate, NULL, 2);
	t = thread_start(waiting_thread, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(reserve); i++) {
		reserve[i] = malloc(50000);
		memset(reserve[i], 1, 50000);
	}
	if (filter_install(calls, count, SECCOMP_RET_ERRNO | ENOMEM, SECCOMP_RET_ALLOW))
		_exit(77);
	play(&r, 30000, 6 * MIB);
	pthread_barrier_wait(&gate);
	for (size_t i = 0; i < ARRAY_SIZE(reserve); i++)
		free(reserve[i]);
	malloc_trim(0);
	pthread_join(t, NULL);
	play(&r, 30000, 6 * MIB);
	for (size_t i = 0; i < 20000; i++)	/* 2 GB, far beyond what was mapped before */
		if (!malloc(100000))
			break;
	for (size_t k = 0; k < BLOCKS; k++)
		if (block[k].p)
			drop(k);
	MUST(granted > 1000, "only %zu blocks were granted", granted);
	_exit(0);
}

static void theme(const char *what, const long *calls, size_t count)
{
	pid_t pid = fork();

	if (pid == 0)
		deprived(calls, count);
	int status = wait_child(pid, 60);

	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		skip(what, "seccomp is not available here");
		return;
	}
	if (!ok(ended_well(status), what))
		say(1, "# wait status %d (-1: hung)\n", status);
}

int main(int argc, char **argv)
{
	static const long all[] = { SYS_mmap, SYS_mremap, SYS_mprotect, SYS_munmap, SYS_madvise };

	stress_begin(argc, argv, "mapfail");
	theme("mmap fails", &all[0], 1);
	theme("mremap fails", &all[1], 1);
	theme("mprotect fails", &all[2], 1);
	theme("munmap fails", &all[3], 1);
	theme("madvise fails", &all[4], 1);
	theme("mmap and mremap fail", &all[0], 2);
	theme("munmap and madvise fail", &all[3], 2);
	theme("all of them fail", all, ARRAY_SIZE(all));
	return stress_end();
}
