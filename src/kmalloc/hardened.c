/* SPDX-License-Identifier: MIT */
/*
 * Hardened mode: the ways in and out.
 *
 * In hardened mode no thread ever gets a magazine, so every malloc and free comes by the slow
 * functions, whose first branch leads here; unhardened programs pay nothing.
 *
 * What needs only the thread's own arrays does not pass the gate: that would be an atomic
 * instruction a call.  It sets busy, as the gate does, but without waiting for others to see it.
 * A signal handler of the same thread sees it and uses emergency.c.  fork() in another thread waits
 * for it if it sees it; the child takes over what it finds with care (harden_adopt).
 *
 * Locks: none of its own.
 */
#include "kmalloc/hardened.h"

#include <string.h>

#include "harden/thread.h"
#include "kmalloc/heap.h"

/* The calling thread's arrays, to be given back with end(); NULL: by the gate. */
static inline struct harden_thread *begin(void)
{
	struct thread *t = thread_tls.thread;

	if (unlikely(!t || atomic_load_explicit(&thread_tls.busy, memory_order_relaxed)))
		return NULL;
	atomic_store_explicit(&thread_tls.busy, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_acq_rel);	/* before what a handler must not see */
	return t->hard;
}

static inline void end(void)
{
	/* release: as in gate_leave */
	atomic_store_explicit(&thread_tls.busy, 0, memory_order_release);
}

static inline void *take(struct harden_thread *t, unsigned class, size_t size)
{
	void *object = harden_take(t, class);

	return likely(object) && likely(object_hand_out(class, object, size)) ? object : NULL;
}

void *hardened_alloc(size_t size)
{
	struct harden_thread *t;
	void *object;

	if (unlikely(size - 1 >= harden.max_request))
		return heap_alloc(size);
	t = begin();
	if (unlikely(!t))
		return heap_alloc(size);
	object = take(t, size_class(size + HARDEN_MARK), size);
	end();
	return likely(object) ? object : heap_alloc(size);
}

void *hardened_alloc_zeroed(size_t size)
{
	void *ptr;

	if (unlikely(size - 1 >= harden.max_request))
		return heap_alloc_zeroed(size);
	ptr = hardened_alloc(size);
	return ptr && !harden.check ? memset(ptr, 0, size) : ptr;
}

void hardened_free(void *ptr)
{
	unsigned class = slab_map_value(ptr);
	struct harden_thread *t;

	t = likely(class - 1 < NR_KMALLOC_CLASSES) ? begin() : NULL;
	if (unlikely(!t)) {
		heap_free(ptr);
		return;
	}
	if (unlikely(!harden_has_room(t, class))) {
		end();
		heap_free(ptr);
		return;
	}
	if (likely(object_retire(class, ptr)))
		harden_put(t, class, ptr);
	end();
}

/*
 * Inside the gate.
 */

/* A thread without arrays. */
static void *alloc_one(unsigned class, size_t size)
{
	void *object;

	while ((object = magazine_alloc_one(&kmalloc_caches[class])))
		if (object_hand_out(class, object, size))
			return object;
	return NULL;
}

void *hardened_alloc_inside(unsigned class, size_t size)
{
	struct thread *t = thread_self();
	void *object;

	if (unlikely(!t))
		return alloc_one(class, size);
	while (t->hard->class[class].nr_ready || harden_fill(t->hard, class)) {
		object = take(t->hard, class, size);
		if (object)
			return object;
	}
	return NULL;
}

void hardened_free_inside(unsigned class, void *object)
{
	struct thread *t = thread_self();

	if (unlikely(!object_retire(class, object)))
		return;
	if (unlikely(!t)) {
		magazine_free_one(&kmalloc_caches[class], object);
		return;
	}
	thread_tls.drained += (uint32_t)harden_drain(t->hard, class);
	harden_put(t->hard, class, object);
}
