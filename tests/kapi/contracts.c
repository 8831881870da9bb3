/* SPDX-License-Identifier: MIT */
/*
 * What GFP flags promise, mempools and shrinkers.
 */
#include "kapi.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/syscall.h>
#include <time.h>

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

/* In a process of its own, since Criterion needs memory too. */
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

static int exit_status(void (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (!child)
		fn();
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
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

static _Atomic unsigned long in_handler, got_in_handler;

static void allocate_in_handler(int signal)
{
	static void *held[64];
	unsigned at = in_handler++ % 64;

	(void)signal;
	kfree_nolock(held[at]);
	held[at] = kmalloc_nolock(200, 0, NUMA_NO_NODE);
	if (!held[at])
		return;
	memset(held[at], 0x66, 200);
	got_in_handler++;
}

/* A signal handler may have interrupted anything, the allocator included. */
Test(kmalloc_nolock, in_signal_handlers, .timeout = 30)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { { 0, 0 }, { 0, 0 } };
	struct kmem_cache *s = kmem_cache_create("interrupted", 200, 0, SLAB_NO_MERGE, NULL);
	static unsigned char *p[500];
	int i;

	signal(SIGALRM, allocate_in_handler);
	setitimer(ITIMER_REAL, &often, NULL);
	while (in_handler < 5000) {
		for (i = 0; i < 500; i++) {
			p[i] = i % 2 ? kmem_cache_alloc(s, GFP_KERNEL) : kmalloc(200, GFP_KERNEL);
			memset(p[i], i, 200);
		}
		for (i = 0; i < 500; i++) {
			cr_assert(all_bytes(p[i], (unsigned char)i, 200));
			kfree(p[i]);
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	cr_assert_gt(got_in_handler, 1000);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* A cache of the program's: a list of blocks. */
struct block {
	struct block *next;
	char rest[60000];
};

static struct block *blocks;
static unsigned long nr_blocks, scans;
static gfp_t seen_gfp;

static unsigned long count_blocks(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	seen_gfp = sc->gfp_mask;
	return nr_blocks ? nr_blocks : SHRINK_EMPTY;
}

static unsigned long scan_blocks(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)shrinker;
	scans++;
	while (blocks && freed < sc->nr_to_scan) {
		struct block *block = blocks;

		blocks = block->next;
		nr_blocks--;
		kfree(block);
		freed++;
	}
	return freed;
}

static struct shrinker *fill_blocks(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "blocks-%d", 1);
	struct block *block;

	shrinker->count_objects = count_blocks;
	shrinker->scan_objects = scan_blocks;
	shrinker_register(shrinker);
	refuse_memory_beyond(4 * MIB);
	while ((block = kmalloc(sizeof(*block), GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY))) {
		block->next = blocks;
		blocks = block;
		nr_blocks++;
	}
	return shrinker;
}

Test(shrinker, runs_when_memory_is_short)
{
	struct shrinker *shrinker = fill_blocks();
	unsigned long before = nr_blocks;
	void *p;

	cr_assert_gt(before, 10);
	p = kmalloc(50000, GFP_KERNEL);
	cr_assert(p && scans && nr_blocks < before);
	cr_assert_eq(seen_gfp & __GFP_FS, __GFP_FS);
	shrinker_free(shrinker);
}

Test(shrinker, sees_the_scope_of_the_thread)
{
	struct shrinker *shrinker = fill_blocks();
	unsigned int scope = memalloc_nofs_save();

	cr_assert(kmalloc(50000, GFP_KERNEL));
	cr_assert_eq(seen_gfp & (__GFP_FS | __GFP_IO), __GFP_IO);
	memalloc_nofs_restore(scope);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	shrinker_free(shrinker);
}

Test(shrinker, run_by_reap)
{
	struct shrinker *shrinker = fill_blocks();
	int i;

	scans = 0;
	/* Half of them at a time; less than a batch is put off. */
	for (i = 0; i < 4; i++)
		kmem_cache_reap(GFP_KERNEL);
	cr_assert_gt(scans, 0);
	shrinker_free(shrinker);
	scans = 0;
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_eq(scans, 0, "gone");
}

/*
 * Mempools.
 */

static bool out_of_memory;

static void *may_fail(gfp_t gfp, void *data)
{
	return out_of_memory ? NULL : mempool_kmalloc(gfp, data);
}

Test(mempool, reserve_then_wait)
{
	mempool_t *pool = mempool_create(3, may_fail, mempool_kfree, (void *)100);
	void *p[3];
	int i;

	cr_assert_eq(pool->curr_nr, 3);
	cr_assert(mempool_is_saturated(pool));
	out_of_memory = true;
	for (i = 0; i < 3; i++)
		cr_assert(p[i] = mempool_alloc(pool, GFP_KERNEL));
	cr_assert_null(mempool_alloc(pool, GFP_NOWAIT));
	cr_assert_null(mempool_alloc_preallocated(pool));
	for (i = 0; i < 3; i++)
		mempool_free(p[i], pool);
	cr_assert_eq(pool->curr_nr, 3, "what comes back goes to the reserve");
	mempool_free(NULL, pool);
	out_of_memory = false;
	mempool_destroy(pool);
	mempool_destroy(NULL);
}

static void *give_back(void *arg)
{
	void **pair = arg;

	usleep(50000);
	mempool_free(pair[1], pair[0]);
	return NULL;
}

Test(mempool, waits_for_an_element, .timeout = 4)
{
	mempool_t *pool = mempool_create(1, may_fail, mempool_kfree, (void *)100);
	void *pair[2] = { pool, NULL };
	pthread_t thread;

	out_of_memory = true;
	pair[1] = mempool_alloc(pool, GFP_KERNEL);
	pthread_create(&thread, NULL, give_back, pair);
	cr_assert_eq(mempool_alloc(pool, GFP_KERNEL), pair[1]);
	pthread_join(thread, NULL);
}

static void *take_and_give(void *arg)
{
	int i;

	for (i = 0; i < 5000; i++) {
		void *p = mempool_alloc(arg, GFP_KERNEL);

		cr_assert(p);
		memset(p, i, 100);
		mempool_free(p, arg);
	}
	return NULL;
}

Test(mempool, threads_on_a_reserve_of_one, .timeout = 30)
{
	mempool_t *pool = mempool_create(1, may_fail, mempool_kfree, (void *)100);

	out_of_memory = true;
	in_threads(take_and_give, pool);
	cr_assert_eq(pool->curr_nr, 1);
}

Test(mempool, resize)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 100);

	cr_assert_eq(mempool_resize(pool, 20), 0);
	cr_assert_eq(pool->curr_nr, 20);
	cr_assert_eq(mempool_resize(pool, 2), 0);
	cr_assert_eq(pool->curr_nr, 2);
	cr_assert_eq(mempool_resize(pool, 6, GFP_KERNEL), 0, "as in 2.6");
	cr_assert_eq(pool->curr_nr, 6);
	mempool_destroy(pool);
}

Test(mempool, kinds)
{
	struct kmem_cache *s = kmem_cache_create("pooled", 100, 0, SLAB_NO_MERGE, NULL);
	mempool_t *pool[4] = {
		mempool_create_slab_pool(4, s), mempool_create_kmalloc_pool(4, 200),
		mempool_create_kvmalloc_pool(2, 5 * MIB), mempool_create_page_pool(4, 2),
	};
	mempool_t embedded;
	void *p;
	int i;

	for (i = 0; i < 4; i++) {
		p = mempool_alloc(pool[i], GFP_KERNEL);
		cr_assert(p);
		mempool_free(p, pool[i]);
		mempool_destroy(pool[i]);
	}
	memset(&embedded, 0, sizeof(embedded));
	mempool_exit(&embedded);
	cr_assert_eq(mempool_init_kmalloc_pool(&embedded, 3, 100), 0);
	mempool_exit(&embedded);
	cr_assert_not(mempool_initialized(&embedded));
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* As long as the system has memory, the reserve stays for when it has none. */
Test(mempool, reserve_is_kept_while_there_is_memory)
{
	mempool_t *pool = mempool_create_kmalloc_pool(4, 20000);
	int i;

	for (i = 0; i < 2000; i++)
		cr_assert(mempool_alloc(pool, GFP_KERNEL));
	cr_assert_eq(pool->curr_nr, 4);
}

Test(mempool, bulk)
{
	mempool_t *pool = mempool_create(8, may_fail, mempool_kfree, (void *)100);
	void *p[8] = { NULL }, *mine = kmalloc(100, GFP_KERNEL);

	p[3] = mine;
	out_of_memory = true;
	cr_assert_eq(mempool_alloc_bulk(pool, p, 8, 1), 0);
	cr_assert(p[0] && p[7] && p[3] == mine);
	cr_assert_eq(pool->curr_nr, 1);
	cr_assert_eq(mempool_free_bulk(pool, p, 8), 7);
	cr_assert_eq(pool->curr_nr, 8);
}
