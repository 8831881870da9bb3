/* SPDX-License-Identifier: MIT */
/*
 * What GFP flags promise.
 */
#include "kapi.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

TestSuite(gfp, .timeout = 120);

/* Every system call but read, write and _exit kills the process. */
static void allocate_in_strict_mode(gfp_t gfp, struct kmem_cache *s)
{
	unsigned i, got = 0;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 99);
	for (i = 0; i < 3000; i++) {
		got += kmalloc(1 + i % 3000, gfp) != NULL;
		got += kmem_cache_alloc(s, gfp) != NULL;
		got += kmalloc_nolock(1 + i % 3000, 0, NUMA_NO_NODE) != NULL;
		got += alloc_pages(gfp, i % 4) != NULL;
		got += __vmalloc(5000, gfp) != NULL;
	}
	syscall(SYS_exit, got > 10 ? 0 : 98);
}

static int status_in_child(gfp_t gfp)
{
	struct kmem_cache *s = kmem_cache_create("strict", 200, 0, SLAB_NO_MERGE, NULL);
	pid_t child;
	int status;

	kfree(kmalloc(100, GFP_KERNEL));
	child = fork();
	if (!child)
		allocate_in_strict_mode(gfp, s);
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

Test(gfp, atomic_and_nowait_make_no_system_call)
{
	int status = status_in_child(GFP_ATOMIC | __GFP_NOWARN);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
	status = status_in_child(GFP_NOWAIT);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
}

/* The same test must fail for a request that may block. */
Test(gfp, kernel_may_make_system_calls)
{
	int status = status_in_child(GFP_KERNEL | __GFP_NOWARN);

	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static unsigned exhaust(gfp_t gfp)
{
	unsigned n = 0;

	while (kmalloc(16384, gfp))
		n++;
	return n;
}

static void use_up_everything(void)
{
	kfree(kmalloc(100, GFP_KERNEL));
	refuse_memory_beyond(2 * MIB);
	exhaust(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (exhaust(GFP_NOWAIT))
		_exit(1);
	if (!exhaust(GFP_ATOMIC | __GFP_NOWARN))
		_exit(2);
	if (exhaust(GFP_ATOMIC | __GFP_NOWARN | __GFP_NOMEMALLOC))
		_exit(3);
	if (!exhaust(__GFP_MEMALLOC | __GFP_NOWARN))
		_exit(4);
	if (kmalloc(100000, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY))
		_exit(5);
	_exit(0);
}

Test(gfp, reserve_is_for_those_with_a_right_to_it)
{
	cr_assert_eq(exit_status(use_up_everything), 0);
}

static void *free_later(void *p)
{
	usleep(100000);
	kfree(p);
	return NULL;
}

static void wait_for_ever(void)
{
	void *all = kmalloc(MIB, GFP_KERNEL);
	pthread_t thread;

	refuse_memory_beyond(2 * MIB);
	exhaust(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	pthread_create(&thread, NULL, free_later, all);
	_exit(kmalloc(900000, GFP_KERNEL | __GFP_NOFAIL) ? 0 : 1);
}

Test(gfp, nofail_waits, .timeout = 20)
{
	cr_assert_eq(exit_status(wait_for_ever), 0);
}

static void fail_loudly(void)
{
	dup2(1, 2);
	refuse_memory_beyond(MIB);
	if (kmalloc(3 * MIB, GFP_KERNEL))
		_exit(1);
	_exit(0);
}

/* The kernel's words, with order, mode and state. */
Test(gfp, failure_is_reported)
{
	char text[4096] = "";
	int fds[2], old = dup(1);
	ssize_t n;

	cr_assert_eq(pipe(fds), 0);
	dup2(fds[1], 1);
	close(fds[1]);
	cr_assert_eq(exit_status(fail_loudly), 0);
	dup2(old, 1);
	n = read(fds[0], text, sizeof(text) - 1);
	cr_assert_gt(n, 0);
	cr_assert(strstr(text, "page allocation failure: order:10, mode:"), "%s", text);
	cr_assert(strstr(text, "(GFP_KERNEL), nodemask=(null)\n") && strstr(text, "Normal free:"));
}

/*
 * How often shrinkers are asked before a request fails.
 */

static unsigned rounds;

static unsigned long count_rounds(struct shrinker *shrinker, struct shrink_control *sc)
{
	rounds += shrinker && sc;
	return 0;
}

static unsigned long never_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	return shrinker && sc ? SHRINK_STOP : 0;
}

static unsigned rounds_of(size_t size, gfp_t gfp)
{
	rounds = 0;
	if (kmalloc(size, gfp | __GFP_NOWARN))
		_exit(20);
	return rounds;
}

static void count_all_rounds(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "rounds");
	unsigned scope, noretry;

	shrinker->count_objects = count_rounds;
	shrinker->scan_objects = never_scan;
	shrinker_register(shrinker);
	kfree(kmalloc(100, GFP_KERNEL));
	refuse_memory_beyond(MIB);
	exhaust(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	noretry = rounds_of(16384, GFP_KERNEL | __GFP_NORETRY);
	if (noretry != 1)
		_exit(1);
	if (rounds_of(16384, GFP_KERNEL) != 16)
		_exit(2);
	if (rounds_of(MIB, GFP_KERNEL) != 1)
		_exit(3);
	if (rounds_of(MIB, GFP_KERNEL | __GFP_RETRY_MAYFAIL) != 16)
		_exit(4);
	if (rounds_of(MIB, GFP_NOWAIT) || rounds_of(MIB, GFP_ATOMIC))
		_exit(5);
	scope = memalloc_noreclaim_save();
	if (rounds_of(MIB, GFP_KERNEL))
		_exit(6);
	memalloc_noreclaim_restore(scope);
	_exit(0);
}

Test(gfp, rounds_before_failure)
{
	cr_assert_eq(exit_status(count_all_rounds), 0);
}

Test(gfp, predicates)
{
	unsigned int outer, inner;

	cr_assert(gfpflags_allow_blocking(GFP_KERNEL) && gfpflags_allow_blocking(GFP_NOIO));
	cr_assert_not(gfpflags_allow_blocking(GFP_ATOMIC) || gfpflags_allow_blocking(GFP_NOWAIT));
	cr_assert(gfp_has_io_fs(GFP_KERNEL) && !gfp_has_io_fs(GFP_NOFS));
	cr_assert_eq(gfp_nested_mask(GFP_KERNEL | __GFP_NOFAIL | __GFP_ZERO),
		     GFP_KERNEL | __GFP_NORETRY | __GFP_NOMEMALLOC | __GFP_NOWARN);
	outer = memalloc_noio_save();
	inner = memalloc_noio_save();
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOIO);
	memalloc_noio_restore(inner);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_NOIO, "still in the outer one");
	memalloc_noio_restore(outer);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
}
