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

/*
 * A pool whose functions may be called in handlers, used there and by what they interrupt.
 */

#define ELEMENTS	4

static mempool_t *pool;
static _Atomic bool no_more;
static _Atomic unsigned long handled, served, wrong, lost;

static void *nolock_alloc(gfp_t gfp, void *size)
{
	(void)gfp;
	return no_more ? NULL : kmalloc_nolock((size_t)size, 0, NUMA_NO_NODE);
}

static void nolock_free(void *element, void *size)
{
	(void)size;
	lost++;
	kfree_nolock(element);
}

static void use_pool_in_handler(int signal)
{
	unsigned char *p = mempool_alloc(pool, GFP_ATOMIC), *q = mempool_alloc_preallocated(pool);

	(void)signal;
	handled++;
	if (p)
		memset(p, 3, 100);
	if (q)
		memset(q, 4, 100);
	served += p && q;
	wrong += p && !all_bytes(p, 3, 100);
	mempool_free(q, pool);
	mempool_free(p, pool);
}

static void start_timer(void (*handler)(int))
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } };

	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_timer(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

/* Neither a deadlock nor an element that is lost or handed out twice: there are only these. */
Test(signals, mempool)
{
	unsigned char *p, *q;

	pool = mempool_create(ELEMENTS, nolock_alloc, nolock_free, (void *)100);
	cr_assert(pool);
	no_more = true;
	start_timer(use_pool_in_handler);
	while (handled < 10000) {
		p = mempool_alloc(pool, GFP_KERNEL);
		q = mempool_alloc(pool, GFP_KERNEL);
		cr_assert_neq(p, q);
		memset(p, 1, 100);
		memset(q, 2, 100);
		cr_assert(all_bytes(p, 1, 100) && all_bytes(q, 2, 100));
		mempool_free(p, pool);
		mempool_free(q, pool);
	}
	stop_timer();
	cr_assert_gt(served, 0);
	cr_assert_eq(pool->curr_nr, ELEMENTS);
	cr_assert_eq(wrong, 0, "held twice");
	cr_assert_eq(lost, 0);
	mempool_destroy(pool);
}

static _Atomic unsigned long pages_got;

static void use_pages_in_handler(int signal)
{
	static struct page *held[16];
	unsigned at = (unsigned)handled++ % 16;

	(void)signal;
	if (held[at])
		free_pages_nolock(held[at], at % 3);
	held[at] = alloc_pages_nolock(0, NUMA_NO_NODE, at % 3);
	if (!held[at])
		return;
	memset(page_address(held[at]), 5, PAGE_SIZE << at % 3);
	pages_got++;
}

Test(signals, pages)
{
	struct page *page;
	unsigned order;

	start_timer(use_pages_in_handler);
	while (handled < 5000)
		for (order = 0; order < 7; order++) {
			page = alloc_pages(GFP_KERNEL, order);
			memset(page_address(page), 6, PAGE_SIZE << order);
			cr_assert(all_bytes(page_address(page), 6, PAGE_SIZE << order));
			__free_pages(page, order);
		}
	stop_timer();
	cr_assert_gt(pages_got, 1000);
}
