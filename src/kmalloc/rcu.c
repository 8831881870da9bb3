/* SPDX-License-Identifier: MIT */
/*
 * kfree_rcu and type-safe caches over liburcu.
 *
 * The library does not need liburcu: it looks whether the program has loaded one of its flavours,
 * by weak references, and uses the first one there is, in the order memb, mb, bp, qsbr.  Without
 * any, nobody can be inside rcu_read_lock, but neither can we know when a reader of the program's
 * own kind is done: what is handed to kfree_rcu then is leaked, and that is said once.
 *
 * liburcu's struct rcu_head is two words; for kfree_rcu it stands in the object, for a slab in the
 * list node of its struct page, which is on no list any more.
 *
 * References: Linux mm/slab_common.c (kvfree_call_rcu), mm/slub.c (SLAB_TYPESAFE_BY_RCU).
 */
#include "kmalloc/rcu.h"

#include "kmalloc/api.h"
#include "lib/bug.h"

struct urcu_head;
typedef void (*urcu_callback)(struct urcu_head *head);

#define FLAVOUR(name) \
	extern void urcu_##name##_call_rcu(struct urcu_head *head, urcu_callback fn) __weak_ref; \
	extern void urcu_##name##_barrier(void) __weak_ref; \
	extern void urcu_##name##_synchronize_rcu(void) __weak_ref; \
	extern void *urcu_##name##_get_default_call_rcu_data(void) __weak_ref

FLAVOUR(memb);
FLAVOUR(mb);
FLAVOUR(bp);
FLAVOUR(qsbr);

struct flavour {
	void (*call)(struct urcu_head *head, urcu_callback fn);
	void (*barrier)(void);
	void (*synchronize)(void);
	void *(*prepare)(void);
};

#define USE(name) \
	(struct flavour){ urcu_##name##_call_rcu, urcu_##name##_barrier, \
			  urcu_##name##_synchronize_rcu, urcu_##name##_get_default_call_rcu_data }

static struct flavour find_flavour(void)
{
	if (urcu_memb_call_rcu)
		return USE(memb);
	if (urcu_mb_call_rcu)
		return USE(mb);
	if (urcu_bp_call_rcu)
		return USE(bp);
	if (urcu_qsbr_call_rcu)
		return USE(qsbr);
	return (struct flavour){ 0 };
}

/* Was there anything to wait for?  A barrier is dear. */
static _Atomic bool used;

bool rcu_is_there(void)
{
	return find_flavour().call != NULL;
}

void rcu_prepare(void)
{
	struct flavour rcu = find_flavour();

	if (rcu.prepare)
		rcu.prepare();
}

static __cold void say_missing(void)
{
	static _Atomic bool said;

	if (!atomic_exchange(&said, true))
		warn("kfree_rcu without liburcu in the program: the objects are leaked");
}

static void free_head(struct urcu_head *head)
{
	struct heap_object object;
	struct kmem_cache *s;

	heap_find(head, &object);
	if (object.kind == HEAP_FOREIGN)
		return;
	s = object.kind == HEAP_SLAB ? object.page->cache : NULL;
	do_kfree((void *)(object.start + (s ? s->left : 0)));
}

static void free_after_wait(const struct flavour *rcu, void *ptr)
{
	rcu->synchronize();
	do_kfree(ptr);
}

void kvfree_call_rcu(void *head, void *ptr)
{
	struct flavour rcu = find_flavour();

	if (ZERO_OR_NULL_PTR(ptr))
		return;
	if (!rcu.call) {
		say_missing();
		return;
	}
	atomic_store_explicit(&used, true, memory_order_relaxed);
	if (head)
		rcu.call(head, free_head);
	else
		free_after_wait(&rcu, ptr);
}

static void free_slab(struct urcu_head *head)
{
	struct page *slab = container_of(head, struct page, lru);

	while (!heap_enter())
		os_yield_cpu(~0u);
	slab_put_pages(slab);
	gate_leave();
}

bool rcu_defer_slab(struct page *slab)
{
	struct flavour rcu = find_flavour();

	if (!rcu.call)
		return false;
	atomic_store_explicit(&used, true, memory_order_relaxed);
	rcu.call((struct urcu_head *)&slab->lru, free_slab);
	return true;
}

void rcu_barrier_all(void)
{
	struct flavour rcu = find_flavour();

	if (rcu.barrier && atomic_load_explicit(&used, memory_order_relaxed))
		rcu.barrier();
}

void kvfree_rcu_barrier(void)
{
	rcu_barrier_all();
}

void kvfree_rcu_barrier_on_cache(struct kmem_cache *s)
{
	(void)s;
	rcu_barrier_all();
}
