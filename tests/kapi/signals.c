/* SPDX-License-Identifier: MIT */
/*
 * Signal handlers, which may have interrupted anything, the allocator included.
 */
#include "kapi.h"

#include <signal.h>
#include <sys/time.h>

TestSuite(signals, .timeout = 120);

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

Test(signals, kmalloc_nolock)
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
