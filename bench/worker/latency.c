/* SPDX-License-Identifier: MIT */
/*
 * latency.c: times single calls of the malloc family (see latency.h).
 *
 * A thread gets its histograms from mmap at its first call and pushes them on a list that only
 * grows; threads that end leave theirs behind to be merged. The cost of reading the clock, the
 * least difference of two readings seen at start, is taken off each value. Until latency_start()
 * nothing is recorded: set-up is not what is asked about.
 */
#include "worker/worker.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/hist.h"

enum call { MALLOC, CALLOC, REALLOC, MEMALIGN, FREE, N_CALLS };

static const char *const call_name[N_CALLS] = {
	"malloc", "calloc", "realloc", "posix_memalign", "free",
};

struct thread_hists {
	struct thread_hists *next;
	struct hist hist[N_CALLS];
};

void *latency_malloc(size_t size);
void *latency_calloc(size_t n, size_t size);
void *latency_realloc(void *p, size_t size);
int latency_posix_memalign(void **p, size_t align, size_t size);
void latency_free(void *p);

static _Atomic(struct thread_hists *) all_hists;
static atomic_bool recording;
static uint64_t clock_cost;
static __thread struct thread_hists *mine;

static struct thread_hists *my_hists(void)
{
	struct thread_hists *t = mine;

	if (t)
		return t;
	t = work_map(sizeof(*t));
	t->next = atomic_load(&all_hists);
	while (!atomic_compare_exchange_weak(&all_hists, &t->next, t))
		;
	mine = t;
	return t;
}

static void record(enum call call, uint64_t begun)
{
	uint64_t ns = work_ns() - begun;

	if (!atomic_load_explicit(&recording, memory_order_relaxed))
		return;
	hist_add(&my_hists()->hist[call], ns > clock_cost ? ns - clock_cost : 0);
}

void *latency_malloc(size_t size)
{
	uint64_t t = work_ns();
	void *p = malloc(size);

	record(MALLOC, t);
	return p;
}

void *latency_calloc(size_t n, size_t size)
{
	uint64_t t = work_ns();
	void *p = calloc(n, size);

	record(CALLOC, t);
	return p;
}

void *latency_realloc(void *p, size_t size)
{
	uint64_t t = work_ns();
	void *q = realloc(p, size);

	record(REALLOC, t);
	return q;
}

int latency_posix_memalign(void **p, size_t align, size_t size)
{
	uint64_t t = work_ns();
	int error = posix_memalign(p, align, size);

	record(MEMALIGN, t);
	return error;
}

void latency_free(void *p)
{
	uint64_t t = work_ns();

	free(p);
	record(FREE, t);
}

void latency_start(void)
{
	clock_cost = UINT64_MAX;
	for (int i = 0; i < 1000; i++) {
		uint64_t t = work_ns(), d = work_ns() - t;

		if (d < clock_cost)
			clock_cost = d;
	}
	atomic_store(&recording, true);
}

/* The histogram in as many lines as needed: "lat CALL MAX INDEX:COUNT INDEX:COUNT …". */
static void say_hist(const char *name, const struct hist *h)
{
	char line[400];
	int n = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		if (h->count[i])
			n += snprintf(line + n, sizeof(line) - (size_t)n, " %u:%llu", i,
				      (unsigned long long)h->count[i]);
		if (n > (int)sizeof(line) - 40 || (i + 1 == HIST_BUCKETS && n > 0)) {
			say("lat %s %llu%s", name, (unsigned long long)h->max, line);
			n = 0;
		}
	}
}

void latency_say(void)
{
	static struct hist sum;

	atomic_store(&recording, false);
	for (int call = 0; call < N_CALLS; call++) {
		memset(&sum, 0, sizeof(sum));
		for (struct thread_hists *t = atomic_load(&all_hists); t; t = t->next)
			hist_merge(&sum, &t->hist[call]);
		say_hist(call_name[call], &sum);
	}
}
