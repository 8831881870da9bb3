/* SPDX-License-Identifier: MIT */
/*
 * Shrinkers.
 */
#include "kapi.h"

#include <malloc.h>

TestSuite(shrinker, .timeout = 120);

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

	scans = 0;
	shrinker->batch = 16;
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_gt(scans, 0);
	shrinker_free(shrinker);
	scans = 0;
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_eq(scans, 0, "gone");
}

/*
 * What is asked of a shrinker: (objects >> priority) * 4 / seeks, in batches, the rest later.
 */

/* volatile: the compiler takes malloc_trim for a function that calls nobody back. */
static volatile unsigned long asked;
static unsigned long present, calls, largest;
static unsigned long answer_scan;

static unsigned long count_present(struct shrinker *shrinker, struct shrink_control *sc)
{
	cr_assert(shrinker->private_data == &present && !sc->nid && !sc->memcg);
	return present;
}

static unsigned long count_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	calls++;
	asked += sc->nr_to_scan;
	largest = max_t(unsigned long, largest, sc->nr_to_scan);
	return answer_scan ? answer_scan : sc->nr_to_scan;
}

static struct shrinker *counting(long batch, int seeks)
{
	struct shrinker *shrinker = shrinker_alloc(0, "counting");

	shrinker->count_objects = count_present;
	shrinker->scan_objects = count_scan;
	shrinker->private_data = &present;
	shrinker->batch = batch;
	shrinker->seeks = seeks;
	shrinker_register(shrinker);
	return shrinker;
}

static unsigned long asked_by_reap(void)
{
	asked = calls = largest = 0;
	kmem_cache_reap(GFP_KERNEL);
	return asked;
}

/* kmem_cache_reap shrinks at priority 2. */
Test(shrinker, share_and_batches)
{
	struct shrinker *shrinker = counting(0, DEFAULT_SEEKS);

	present = 10240;
	cr_assert_eq(asked_by_reap(), 5120);
	cr_assert(calls == 40 && largest == SHRINK_BATCH);
	shrinker->batch = 1000;
	cr_assert_eq(asked_by_reap(), 5000, "less than a batch is put off");
	cr_assert_eq(largest, 1000);
	present = 200;
	shrinker->batch = 50;
	shrinker->seeks = 8;
	asked_by_reap();
	cr_assert_eq(asked_by_reap(), 0, "a share of 25");
	present = 0;
	asked_by_reap();
	cr_assert_eq(calls, 0, "nothing there");
	present = SHRINK_EMPTY;
	asked_by_reap();
	cr_assert_eq(calls, 0);
	shrinker_free(shrinker);
}

Test(shrinker, what_is_put_off_adds_up)
{
	struct shrinker *shrinker = counting(1000, DEFAULT_SEEKS);
	unsigned long sum = 0;
	int i;

	present = 1500;
	for (i = 0; i < 16; i++)
		sum += asked_by_reap();
	cr_assert_gt(sum, 0, "750 each time, 1000 at a time");
	shrinker_free(shrinker);
}

Test(shrinker, stop)
{
	struct shrinker *shrinker = counting(10, DEFAULT_SEEKS);

	present = 1000;
	answer_scan = SHRINK_STOP;
	asked_by_reap();
	cr_assert_eq(calls, 1);
	shrinker_free(shrinker);
}

Test(shrinker, seeks_of_zero_means_half)
{
	struct shrinker *shrinker = counting(1, 0);

	present = 100;
	cr_assert_eq(asked_by_reap(), 50);
	shrinker_free(shrinker);
}

Test(shrinker, run_by_malloc_trim)
{
	struct shrinker *shrinker = counting(1, DEFAULT_SEEKS);

	present = 1000;
	asked = 0;
	malloc_trim(0);
	cr_assert_eq(asked, 500, "half of them, as by kmem_cache_reap");
	shrinker_free(shrinker);
}

static int remaining = 1000;

static int shrink_26(int nr_to_scan, gfp_t gfp)
{
	(void)gfp;
	remaining -= nr_to_scan;
	return remaining;
}

Test(shrinker, interface_of_26)
{
	struct shrinker *shrinker = set_shrinker(DEFAULT_SEEKS, shrink_26);

	kmem_cache_reap(GFP_KERNEL);
	cr_assert(remaining < 1000 && remaining >= 400, "%d", remaining);
	remove_shrinker(shrinker);
	remaining = 1000;
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_eq(remaining, 1000, "gone");
}

static struct shrinker own = {
	.count_objects = count_present, .scan_objects = count_scan, .private_data = &present,
};

Test(shrinker, registered_by_its_older_name)
{
	present = 1000;
	cr_assert_eq(register_shrinker(&own), 0);
	cr_assert_eq(own.seeks, DEFAULT_SEEKS);
	cr_assert_gt(asked_by_reap(), 0);
	unregister_shrinker(&own);
	cr_assert_eq(register_shrinker(&own, "name-%d", 1), 0);
	cr_assert_gt(asked_by_reap(), 0);
	unregister_shrinker(&own);
	unregister_shrinker(&own);
	cr_assert_eq(asked_by_reap(), 0);
}

/* From within a callback: memory may be allocated and freed, and shrinkers do not nest. */
static unsigned long allocate_in_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct kmem_cache *s = kmem_cache_create("in scan", 48, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(s, sc->gfp_mask);

	cr_assert(p);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	calls++;
	kmem_cache_reap(GFP_KERNEL);
	return shrinker ? sc->nr_to_scan : 0;
}

Test(shrinker, may_allocate)
{
	struct shrinker *shrinker = counting(1000, DEFAULT_SEEKS);

	dup2(open("/dev/null", O_WRONLY), 2);
	shrinker->scan_objects = allocate_in_scan;
	present = 1000;
	asked_by_reap();
	asked_by_reap();
	cr_assert_leq(calls, 2);
	shrinker_free(shrinker);
}

static _Atomic bool enough;
static _Atomic unsigned long many_scans;

static unsigned long a_few(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return 100;
}

static unsigned long scan_a_few(struct shrinker *shrinker, struct shrink_control *sc)
{
	many_scans++;
	usleep(100);
	cr_assert_eq(shrinker->private_data, &many_scans, "still registered");
	return sc->nr_to_scan;
}

static void *reap_on(void *arg)
{
	while (!enough)
		kmem_cache_reap(GFP_KERNEL);
	return arg;
}

static void *come_and_go(void *arg)
{
	struct shrinker own_one = {
		.count_objects = a_few, .scan_objects = scan_a_few, .seeks = 1,
	};
	int i;

	for (i = 0; i < 300; i++) {
		own_one.private_data = &many_scans;
		register_shrinker(&own_one, "of a thread");
		usleep(50);
		unregister_shrinker(&own_one);
		own_one.private_data = NULL;
		usleep(200);
	}
	return arg;
}

/* Who takes a shrinker away waits for callbacks that run in other threads. */
Test(shrinker, come_and_go_while_others_shrink)
{
	pthread_t thread[2];
	int i;

	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, reap_on, NULL);
	in_threads(come_and_go, NULL);
	enough = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_assert_gt(many_scans, 0);
}

static _Atomic bool in_scan;

static unsigned long scan_for_long(struct shrinker *shrinker, struct shrink_control *sc)
{
	in_scan = true;
	while (!enough)
		usleep(1000);
	return shrinker ? sc->nr_to_scan : 0;
}

/* The child has no thread whose callback it would have to wait for. */
Test(shrinker, fork_while_a_callback_runs, .timeout = 30)
{
	struct shrinker *shrinker = shrinker_alloc(0, "long");
	pthread_t thread;
	int status;
	pid_t child;

	shrinker->count_objects = a_few;
	shrinker->scan_objects = scan_for_long;
	shrinker_register(shrinker);
	pthread_create(&thread, NULL, reap_on, NULL);
	while (!in_scan)
		usleep(1000);
	child = fork();
	if (!child) {
		shrinker_free(shrinker);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	enough = true;
	pthread_join(thread, NULL);
	shrinker_free(shrinker);
}
