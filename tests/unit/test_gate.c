/* SPDX-License-Identifier: MIT */
/*
 * The gate: fork waits for those inside, those outside wait for fork but not for ever, and nobody
 * enters twice. The functions around fork() are called here without a fork() where time matters.
 */
#include "unit.h"

#include <sched.h>
#include <time.h>

#include "kmalloc/emergency.h"
#include "kmalloc/heap.h"
#include "mm/reclaim.h"
#include "mm/vmap_area.h"
#include "mm/zone.h"
#include "observe/stats.h"

static void setup(void)
{
	heap_init();
	reclaim_init(3600000);
}

TestSuite(gate, .init = setup, .timeout = 60);

static enum heap_kind kind_of(void *ptr)
{
	struct heap_object object;

	heap_find(ptr, &object);
	return object.kind;
}

static unsigned elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned)((now.tv_sec - since->tv_sec) * 1000 +
			  (now.tv_nsec - since->tv_nsec) / 1000000);
}

Test(gate, nobody_enters_twice)
{
	cr_assert(gate_enter());
	cr_assert(!gate_enter());
	gate_leave();
	cr_assert(gate_enter());
	gate_leave();
	cr_assert(gate_unlisted == 0);
}

/* What a signal handler does that interrupted the library. */
Test(gate, who_is_inside_already_gets_emergency_memory)
{
	void *before = heap_alloc(64), *inside, *large;

	cr_assert(gate_enter());
	inside = heap_alloc(100);
	large = heap_alloc_zeroed((size_t)8 << 20);
	cr_assert(kind_of(inside) == HEAP_EMERGENCY && kind_of(large) == HEAP_EMERGENCY);
	cr_assert(all_zero(large, (size_t)8 << 20));
	heap_free(before);
	heap_free(large);
	cr_assert(emergency_has_deferred());
	gate_leave();
	heap_free(heap_alloc((size_t)1 << 20));
	cr_assert(!emergency_has_deferred());
	heap_free(inside);
	heap_trim();
	cr_assert(kmalloc_caches[size_class(64)].nr_slabs == 0);
}

static _Atomic int step;

static void wait_for(int value)
{
	while (atomic_load(&step) < value)
		sched_yield();
}

static void *stay_inside(void *list)
{
	if (*(bool *)list)
		heap_free(heap_alloc(64));
	cr_assert(gate_enter());
	atomic_store(&step, 1);
	usleep(50000);
	atomic_store(&step, 2);
	gate_leave();
	return NULL;
}

static void fork_waits(bool list)
{
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, stay_inside, &list) == 0);
	wait_for(1);
	gate_fork_prepare();
	cr_assert(atomic_load(&step) == 2, "a thread is inside");
	gate_fork_parent();
	pthread_join(thread, NULL);
	cr_assert(gate_unlisted == 0 && gate_forks == 0);
}

Test(gate, fork_waits_for_a_thread_inside)
{
	fork_waits(true);
}

Test(gate, fork_waits_for_a_thread_that_is_not_listed_yet)
{
	fork_waits(false);
}

struct attempt {
	enum heap_kind kind;
	unsigned ms;
};

static void *alloc_once(void *arg)
{
	struct attempt *attempt = arg;
	struct timespec start;
	void *ptr;

	heap_free(heap_alloc(3000));
	atomic_store(&step, 1);
	wait_for(2);
	clock_gettime(CLOCK_MONOTONIC, &start);
	ptr = heap_alloc((size_t)1 << 20);
	attempt->ms = elapsed_ms(&start);
	attempt->kind = kind_of(ptr);
	heap_free(ptr);
	atomic_store(&step, 3);
	return NULL;
}

/* The thread may hold what fork() waits for: it gets memory all the same. */
Test(gate, patience_with_fork_ends)
{
	struct attempt attempt;
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, alloc_once, &attempt) == 0);
	wait_for(1);
	gate_fork_prepare();
	atomic_store(&step, 2);
	wait_for(3);
	gate_fork_parent();
	pthread_join(thread, NULL);
	cr_assert(attempt.kind == HEAP_EMERGENCY);
	cr_assert(attempt.ms >= 10 && attempt.ms < 5000, "%u ms", attempt.ms);
}

static void *find_large(void *ptr)
{
	return kind_of(ptr) == HEAP_AREA ? ptr : NULL;
}

/* Busy machines run forks that take long and holders of locks that do not run. */
Test(gate, areas_are_found_during_a_long_fork)
{
	const struct timespec long_enough = { 0, 60000000 };
	void *area = heap_alloc((size_t)16 << 20), *found;
	pthread_t thread;

	gate_fork_prepare();
	os_mutex_lock(&vmap.lock);
	cr_assert(!pthread_create(&thread, NULL, find_large, area));
	nanosleep(&long_enough, NULL);
	os_mutex_unlock(&vmap.lock);
	pthread_join(thread, &found);
	gate_fork_parent();
	cr_assert(found == area);
	cr_assert(gate_unlisted == 0);
	heap_free(area);
}

static void *count_areas(void *arg)
{
	struct kmalloc_stats *stats = arg;

	return stats_get(stats) ? arg : NULL;
}

Test(gate, areas_are_counted_during_a_long_fork)
{
	void *area = heap_alloc((size_t)16 << 20), *complete;
	struct kmalloc_stats stats;
	pthread_t thread;

	gate_fork_prepare();
	cr_assert(!pthread_create(&thread, NULL, count_areas, &stats));
	pthread_join(thread, &complete);
	gate_fork_parent();
	cr_assert(!complete, "caches are not looked at, and it says so");
	cr_assert(stats.vmalloc_areas > 0 && stats.vmalloc_bytes >= (size_t)16 << 20);
	cr_assert(gate_unlisted == 0);
	heap_free(area);
}

Test(gate, a_short_fork_is_waited_for)
{
	struct attempt attempt;
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, alloc_once, &attempt) == 0);
	wait_for(1);
	gate_fork_prepare();
	atomic_store(&step, 2);
	usleep(2000);
	gate_fork_parent();
	pthread_join(thread, NULL);
	cr_assert(attempt.kind == HEAP_RUN);
	cr_assert(gate_forks == 0);
}

Test(gate, handlers_of_fork_may_allocate)
{
	void *ptr;

	gate_fork_prepare();
	ptr = heap_alloc(64);
	cr_assert(kind_of(ptr) == HEAP_SLAB);
	heap_free(ptr);
	gate_fork_parent();
}

static void *stay_until_told(void *arg)
{
	cr_assert(gate_enter());
	atomic_store(&step, 1);
	wait_for(2);
	gate_leave();
	return arg;
}

/* In a signal handler that interrupted the library, of a thread for which another one waits. */
Test(gate, fork_inside_does_not_wait_for_ever)
{
	pthread_t thread;
	struct timespec start;

	cr_assert(gate_enter());
	cr_assert(pthread_create(&thread, NULL, stay_until_told, NULL) == 0);
	wait_for(1);
	clock_gettime(CLOCK_MONOTONIC, &start);
	gate_fork_prepare();
	cr_assert(elapsed_ms(&start) < 5000);
	atomic_store(&step, 2);
	gate_fork_parent();
	gate_leave();
	pthread_join(thread, NULL);
	cr_assert(gate_unlisted == 0 && gate_forks == 0);
}

static _Atomic bool stop;

static void *work(void *arg)
{
	void *held[64] = { NULL };

	random_seed ^= (uintptr_t)held * 3;
	while (!atomic_load(&stop)) {
		size_t k = random_below(64);

		heap_free(held[k]);
		held[k] = random_below(2) ? heap_alloc(random_size(14)) : NULL;
	}
	for (size_t k = 0; k < 64; k++)
		heap_free(held[k]);
	return arg;
}

static unsigned child_errors(void)
{
	unsigned errors = 0;

	gate_fork_child();
	errors += nr_threads > 1;
	for (int i = 0; i < 1000; i++)
		heap_free(heap_alloc(random_size(16)));
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		errors += slab_check(&kmalloc_caches[c]);
	return errors + zone_check();
}

static int fork_once(void)
{
	int status;
	pid_t pid;

	gate_fork_prepare();
	pid = fork();
	if (!pid) {
		alarm(10);
		_exit((int)min(child_errors(), 100u));
	}
	gate_fork_parent();
	cr_assert(waitpid(pid, &status, 0) == pid);
	return status;
}

Test(gate, children_of_busy_processes_are_whole)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		cr_assert(pthread_create(&threads[i], NULL, work, NULL) == 0);
	for (int i = 0; i < 100; i++)
		cr_assert(fork_once() == 0, "fork %d", i);
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void *hold_magazines(void *arg)
{
	for (size_t size = 16; size < 8000; size += 16)
		heap_free(heap_alloc(size));
	atomic_store(&step, 1);
	wait_for(2);
	return arg;
}

static void adopt(void *arg)
{
	struct thread_count count[NR_KMALLOC_CLASSES + 1];
	size_t sum = 0;

	(void)arg;
	gate_fork_child();
	heap_trim();
	thread_count_classes(count);
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		sum += count[c].rounds + kmalloc_caches[c].nr_slabs;
	_exit(sum ? 1 : 0);
}

Test(gate, the_child_adopts_magazines_of_other_threads)
{
	pthread_t thread;
	int status;

	cr_assert(pthread_create(&thread, NULL, hold_magazines, NULL) == 0);
	wait_for(1);
	gate_fork_prepare();
	status = in_child(adopt, NULL);
	gate_fork_parent();
	atomic_store(&step, 2);
	pthread_join(thread, NULL);
	cr_assert(status == 0, "status %x", (unsigned)status);
}
