/* SPDX-License-Identifier: MIT */
/*
 * The way into the heap that malloc and free take most: a magazine of a size class is empty or
 * full.  A thread that is listed, with nothing special going on, exchanges it here, with all of the
 * gate and the exchange inline; everything else takes the general way.
 *
 * Locks: none but those of the exchange.
 */
#include "kmalloc/heap.h"

#include <errno.h>

#include "magazine/exchange.h"

/* All that is cached is given up for it, or there is no way into the heap. */
static __cold void *alloc_class_harder(unsigned class)
{
	void *ptr = heap_alloc(kmalloc_caches[class].size);

	if (!ptr)
		errno = ENOMEM;
	return ptr;
}

/* A thread's first time, and everything that is not as it mostly is. */
static __slow void *alloc_class(unsigned class)
{
	void *ptr;

	if (unlikely(!heap_enter()))
		return alloc_class_harder(class);
	ptr = thread_alloc(class);
	gate_leave();
	return likely(ptr) ? ptr : alloc_class_harder(class);
}

/* A thread that is listed finds the heap ready. */
static __always_inline struct thread *enter_as_thread(void)
{
	struct thread *t = thread_tls.thread;

	if (unlikely(!t) || unlikely(emergency_has_deferred()) || unlikely(!gate_enter_listed()))
		return NULL;
	return t;
}

void *heap_alloc_class(size_t class)
{
	struct thread *t = enter_as_thread();
	void *ptr;

	if (unlikely(!t))
		return alloc_class((unsigned)class);
	ptr = magazine_refill(&kmalloc_caches[class], &thread_tls.top[class], &t->class[class]);
	gate_leave_listed();
	return likely(ptr) ? ptr : alloc_class_harder((unsigned)class);
}

static __slow void free_class(unsigned class, void *ptr)
{
	if (unlikely(!heap_enter())) {
		emergency_defer_free(ptr);
		return;
	}
	thread_free(class, ptr);
	gate_leave();
}

void heap_free_class(size_t class, void *ptr)
{
	struct thread *t;

	if (unlikely(thread_tls.top[class][-1] == ptr) || unlikely(!(t = enter_as_thread()))) {
		free_class((unsigned)class, ptr);
		return;
	}
	magazine_empty_for(&kmalloc_caches[class], &thread_tls.top[class], &t->class[class], ptr);
	gate_leave_listed();
}
