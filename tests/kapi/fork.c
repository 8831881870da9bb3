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
