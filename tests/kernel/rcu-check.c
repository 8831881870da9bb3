/* SPDX-License-Identifier: MIT */
/*
 * kfree_rcu and SLAB_TYPESAFE_BY_RCU with liburcu: readers never see memory that was freed.
 */
#define _LGPL_SOURCE
#include <urcu.h>

#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define MAGIC	42
#define READERS	2
#define MANY	2000

struct node {
	struct rcu_head rcu;
	long magic;
	char rest[100];
};

static struct node *shared;
static _Atomic int stop;
static _Atomic long wrong;

static void *reader(void *arg)
{
	rcu_register_thread();
	while (!stop) {
		rcu_read_lock();
		wrong += rcu_dereference(shared)->magic != MAGIC;
		rcu_read_unlock();
	}
	rcu_unregister_thread();
	return arg;
}

static int check(const char *what, int good)
{
	static int n;

	printf("%sok %d - rcu: %s\n", good ? "" : "not ", ++n, what);
	return !good;
}

static void replace_often(void)
{
	int i;

	for (i = 0; i < 100000; i++) {
		struct node *new = kmalloc(sizeof(*new), GFP_KERNEL), *old = shared;

		new->magic = MAGIC;
		rcu_assign_pointer(shared, new);
		if (old)
			kfree_rcu(old, rcu);
		/* Whoever gets the memory next writes all over it. */
		old = kmalloc(sizeof(*old), GFP_KERNEL);
		memset(old, 0x55, sizeof(*old));
		kfree(old);
	}
}

int main(void)
{
	struct kmem_cache *s = kmem_cache_create("node", sizeof(struct node), 0,
						 SLAB_TYPESAFE_BY_RCU, NULL);
	pthread_t thread[READERS];
	static void *p[MANY];
	struct node *area = vmalloc(100000);
	int i, bad = 0, round;

	bad += check("a type-safe cache", s != NULL);
	shared = kzalloc(sizeof(*shared), GFP_KERNEL);
	shared->magic = MAGIC;
	for (i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, NULL);
	replace_often();
	stop = 1;
	for (i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);
	bad += check("readers saw no freed memory", !wrong);
	for (round = 0; round < 20; round++) {
		bad += kmem_cache_alloc_bulk(s, GFP_KERNEL, MANY, p) != MANY;
		kmem_cache_free_bulk(s, MANY, p);
		kmem_cache_shrink(s);
	}
	kfree_rcu(area, rcu);
	kfree_rcu_mightsleep(kmalloc(10, GFP_KERNEL));
	kvfree_rcu_barrier();
	kmem_cache_destroy(s);
	bad += check("the cache could be destroyed", !kmalloc_slab_errors());
	printf("1..3\n");
	return bad != 0;
}
