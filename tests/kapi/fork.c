/* SPDX-License-Identifier: MIT */
/*
 * fork() while other threads are inside: the child has everything.
 */
#include "kapi.h"

TestSuite(fork, .timeout = 120);

static _Atomic bool enough;
static mempool_t *fork_pool;

static void *keep_busy(void *arg)
{
	while (!enough) {
		void *p = kmem_cache_alloc(arg, GFP_KERNEL), *q = mempool_alloc(fork_pool, GFP_KERNEL);
		struct kmem_cache *s = kmem_cache_create("of a moment", 72, 0, SLAB_NO_MERGE, NULL);

		kmem_cache_free(arg, p);
		mempool_free(q, fork_pool);
		kfree(vmalloc(10000));
		kmem_cache_destroy(s);
	}
	return NULL;
}

static void use_everything(struct kmem_cache *s)
{
	int i;

	for (i = 0; i < 1000; i++) {
		kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
		mempool_free(mempool_alloc(fork_pool, GFP_KERNEL), fork_pool);
		kfree(kmalloc(100, GFP_ATOMIC));
		vfree(vmalloc(10000));
	}
	kmem_cache_destroy(kmem_cache_create("child", 72, 0, SLAB_NO_MERGE, NULL));
	_exit(kmalloc_slab_errors() != 0);
}

/*
 * The rest of the interface, under fork() after fork().
 */

static unsigned long count_some(struct shrinker *shrinker, struct shrink_control *sc)
{
	return shrinker && sc ? 200 : 0;
}

static unsigned long scan_some(struct shrinker *shrinker, struct shrink_control *sc)
{
	return shrinker ? sc->nr_to_scan : 0;
}

/* False if something that must not fail has failed. */
static bool use_the_rest(struct kmem_cache *s)
{
	struct shrinker own = { .count_objects = count_some, .scan_objects = scan_some };
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 20);
	struct page *page = alloc_pages(GFP_KERNEL, 2), *other;
	struct page_frag_cache nc = { NULL, 0, 0, 0 };
	void *low = vmalloc_32(5000), *frag = page_frag_alloc(&nc, 300, GFP_KERNEL), *p[20];
	bool good = sheaf && page && low && frag;

	if (!good || kmem_cache_alloc_bulk(s, GFP_KERNEL, 20, p) != 20)
		return false;
	register_shrinker(&own, "own");
	kmem_cache_reap(GFP_KERNEL);
	unregister_shrinker(&own);
	kmem_cache_free_bulk(s, 20, p);
	kmem_cache_free(s, kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	__free_pages(page, 2);
	vfree(low);
	page_frag_free(frag);
	page_frag_cache_drain(&nc);
	other = alloc_pages_nolock(0, NUMA_NO_NODE, 0);
	if (other)
		free_pages_nolock(other, 0);
	kfree_nolock(kmalloc_nolock(100, 0, NUMA_NO_NODE));
	mempool_resize(fork_pool, 1 + (int)(((uintptr_t)p >> 8) % 5));
	kmem_cache_shrink(s);
	return good;
}

static void *use_the_rest_on(void *s)
{
	while (!enough)
		cr_assert(use_the_rest(s));
	return NULL;
}

static void child_uses_the_rest(struct kmem_cache *s)
{
	int i;

	for (i = 0; i < 20; i++)
		if (!use_the_rest(s))
			_exit(1);
	_exit(kmalloc_slab_errors() ? 2 : 0);
}

Test(fork, child_has_the_rest_too, .timeout = 100)
{
	struct kmem_cache *s = kmem_cache_create("forked", 200, 0, SLAB_NO_MERGE, NULL);
	pthread_t thread[2];
	int i, status;

	fork_pool = mempool_create_kmalloc_pool(2, 100);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, use_the_rest_on, s);
	for (i = 0; i < 100; i++) {
		pid_t child = fork();

		if (!child)
			child_uses_the_rest(s);
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "%d: %x", i, (unsigned)status);
	}
	enough = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	mempool_destroy(fork_pool);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

Test(fork, child_has_everything, .timeout = 60)
{
	struct kmem_cache *s = kmem_cache_create("forked", 200, 0, SLAB_NO_MERGE, NULL);
	pthread_t thread[2];
	int i, status;

	/* The threads make caches of one name, which is said each time. */
	dup2(open("/dev/null", O_WRONLY), 2);
	fork_pool = mempool_create_kmalloc_pool(2, 100);
	for (i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, keep_busy, s);
	for (i = 0; i < 200; i++) {
		pid_t child = fork();

		if (!child)
			use_everything(s);
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "%d: %x", i, (unsigned)status);
	}
	enough = true;
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}
