/* SPDX-License-Identifier: MIT */
/*
 * Memory without waiting, and memory in any context.
 *
 * GFP_NOWAIT and GFP_ATOMIC come here when the thread's loaded magazine is empty.  No system call
 * is made: only what is mapped is handed out, and the gate is tried, not waited for.
 *
 * kmalloc_nolock may also be called by a signal handler, which may have interrupted anything, so
 * it does not touch the thread's magazines, whose fast paths are not atomic.  kfree_nolock
 * leaves what it cannot free at once on a list, through the dead objects themselves; whoever passes
 * the gate next frees them.
 *
 * References: Linux mm/slub.c, kmalloc_nolock() and defer_free().
 */
#include "kmalloc/api.h"

#include <string.h>

#include "harden/object.h"
#include "kmalloc/emergency.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/zone.h"

static struct thread_class *own_class(enum gate_pass pass, unsigned class)
{
	return pass == GATE_ENTERED && thread_tls.thread ? &thread_tls.thread->class[class] : NULL;
}

static void *pages_nowait(size_t size, size_t align, size_t keep)
{
	struct page *page;

	if (size > PAGE_SIZE << MAX_PAGE_ORDER || align > PAGE_SIZE << MAX_PAGE_ORDER)
		return NULL;
	page = zone_alloc_nowait((unsigned)pages_of(size), order_of(pages_of(align)), keep);
	return page ? (void *)page_to_addr(page) : NULL;
}

/* Of hardened objects only slabs are asked: a signal handler may have interrupted the thread. */
static void *object_nowait(unsigned class, size_t size, struct thread_class *tc, size_t keep)
{
	void *object = magazine_alloc_nowait(&kmalloc_caches[class], tc, keep);

	if (unlikely(harden.on) && object && !object_hand_out(class, object, size))
		return NULL;
	return object;
}

void *heap_alloc_nowait(size_t size, size_t align, size_t keep)
{
	unsigned class = size_class_aligned(size + harden.tail, align);
	enum gate_pass pass = gate_try_enter();
	void *ptr;

	if (pass == GATE_CLOSED)
		return NULL;
	ptr = class ? object_nowait(class, size, own_class(pass, class), keep) : NULL;
	/* What is left may be too scattered for a slab of large objects. */
	if (!ptr && size > PAGE_SIZE / 2)
		ptr = pages_nowait(size, align, keep);
	gate_leave_try(pass);
	return ptr;
}

/*
 * Any context.
 */

static void *class_nolock(unsigned class, size_t size)
{
	enum gate_pass pass = gate_try_enter();
	void *ptr;

	if (pass == GATE_CLOSED)
		return NULL;
	ptr = object_nowait(class, size, NULL, 0);
	gate_leave_try(pass);
	return ptr;
}

void *kmalloc_nolock(size_t size, gfp_t gfp, int node)
{
	unsigned class;
	void *ptr;

	(void)node;
	if (!size)
		return ZERO_SIZE_PTR;
	if (gfp & ~(__GFP_ZERO | __GFP_ACCOUNT) || size > KMALLOC_MAX_CACHE_SIZE)
		return NULL;
	class = size_class(size + harden.tail);
	ptr = class_nolock(class, size);
	if (!ptr && kmalloc_caches[class].size < max_class_size)
		ptr = class_nolock(class + 1, size);
	return ptr && gfp & __GFP_ZERO ? memset(ptr, 0, size) : ptr;
}

static bool free_now(void *ptr)
{
	struct region *r = region_of((uintptr_t)ptr);
	struct page *slab = r ? slab_of(r, (uintptr_t)ptr) : NULL;
	enum gate_pass pass;
	bool done;

	if (!slab || unlikely(harden.on))
		return false;
	pass = gate_try_enter();
	if (pass == GATE_CLOSED)
		return false;
	done = slab_free_nowait(slab->cache, ptr);
	gate_leave_try(pass);
	return done;
}

void kfree_nolock(const void *p)
{
	void *ptr = (void *)(uintptr_t)p;

	if (ZERO_OR_NULL_PTR(p) || free_now(ptr))
		return;
	/* A hardened object must stay as it is. */
	if (unlikely(harden.on))
		emergency_defer_free(ptr);
	else
		emergency_defer_object(ptr);
}
