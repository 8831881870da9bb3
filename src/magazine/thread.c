/* SPDX-License-Identifier: MIT */
/*
 * Threads that come and go.
 *
 * A thread gets its struct thread in its first slow path.  It loses it in the last round of pthread
 * key destructors, so that other destructors still find magazines; whatever it frees after that
 * (the C library frees some itself) goes to the slabs one by one.
 *
 * States (thread_tls.state): NEW -> LIVE -> DEAD.  A thread that cannot get memory for its struct
 * thread stays NEW and tries again.
 *
 * Locks: threads_lock guards the list and keeps its members from exiting.  A thread's loaded
 * magazines are its own; others read its tops only for statistics, and in the child of a fork.
 */
#include "magazine/thread.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "lib/bug.h"
#include "mm/reclaim.h"

static struct os_mutex threads_lock = OS_MUTEX(RANK_THREADS);
static struct list_node threads = { &threads, &threads };
static struct kmem_cache thread_cache;
static pthread_key_t exit_key;
static bool have_exit_key;

_Atomic unsigned nr_threads;
uint8_t thread_class_of[SIZE_STEPS];

/* Before glibc 2.34 these live in libpthread: without it there is one thread, which needs no exit. */
extern __typeof__(pthread_key_create) pthread_key_create __weak_ref;
extern __typeof__(pthread_setspecific) pthread_setspecific __weak_ref;

/*
 * Birth.
 */

static void thread_link(struct thread *t)
{
	os_mutex_lock(&threads_lock);
	list_add_tail(&t->list, &threads);
	atomic_fetch_add_explicit(&nr_threads, 1, memory_order_relaxed);
	os_mutex_unlock(&threads_lock);
}

static struct thread *thread_create(void)
{
	struct thread *t;
	void *object;

	if (!slab_alloc(&thread_cache, &object, 1))
		return NULL;
	t = memset(object, 0, sizeof(*t));
	t->tls = &thread_tls;
	thread_link(t);
	thread_tls.thread = t;
	memcpy(thread_tls.class_of, thread_class_of, sizeof(thread_tls.class_of));
	thread_tls.state = THREAD_LIVE;
	/* It was counted as unlisted when it entered the gate: now it is on the list, busy. */
	atomic_fetch_sub(&gate_unlisted, 1);
	/* Last, since it may allocate. */
	if (have_exit_key)
		pthread_setspecific(exit_key, t);
	return t;
}

struct thread *thread_self(void)
{
	if (likely(thread_tls.thread))
		return thread_tls.thread;
	return thread_tls.state == THREAD_NEW ? thread_create() : NULL;
}

/*
 * Death.
 */

static void flush_class(struct thread *t, unsigned class)
{
	struct kmem_cache *s = &kmalloc_caches[class];
	void **top = t->tls->top[class];
	struct magazine *mag;

	if (top != NO_TOP) {
		mag = magazine_of_top(top);
		mag->rounds = (uint16_t)(top - magazine_bottom(mag));
		t->tls->top[class] = NO_TOP;
		depot_put(s, mag);
	}
	mag = atomic_exchange_explicit(&t->class[class].previous, NULL, memory_order_acq_rel);
	if (mag)
		depot_put(s, mag);
}

static void thread_flush(struct thread *t)
{
	unsigned c;

	for (c = 1; c <= NR_KMALLOC_CLASSES; c++)
		flush_class(t, c);
}

void thread_flush_self(void)
{
	if (thread_tls.thread)
		thread_flush(thread_tls.thread);
}

static void thread_unlink(struct thread *t)
{
	os_mutex_lock(&threads_lock);
	list_del(&t->list);
	atomic_fetch_sub_explicit(&nr_threads, 1, memory_order_relaxed);
	os_mutex_unlock(&threads_lock);
}

static void thread_exit(struct thread *t)
{
	void *object = t;

	/* However long a fork takes: the list must not keep a thread whose storage is gone. */
	while (!gate_enter())
		;
	memset(thread_tls.class_of, 0, sizeof(thread_tls.class_of));
	thread_tls.state = THREAD_DEAD;
	thread_flush(t);
	/* From here on the gate must know the thread without the list. */
	atomic_fetch_add(&gate_unlisted, 1);
	thread_unlink(t);
	thread_tls.thread = NULL;
	slab_free(&thread_cache, &object, 1);
	gate_leave();
}

/* Other keys' destructors free things too: stay until the last round. */
static void exit_destructor(void *arg)
{
	struct thread *t = arg;

	if (++t->exits < PTHREAD_DESTRUCTOR_ITERATIONS && !pthread_setspecific(exit_key, t))
		return;
	thread_exit(t);
}

void thread_init(void)
{
	cache_init(&thread_cache, "thread", sizeof(struct thread), CACHE_LINE, 0);
	have_exit_key = pthread_key_create && pthread_setspecific &&
			!pthread_key_create(&exit_key, exit_destructor);
}

/*
 * Seen from others.
 */

void thread_count_rounds(size_t rounds[NR_KMALLOC_CLASSES + 1])
{
	struct list_node *pos;
	unsigned c;

	memset(rounds, 0, (NR_KMALLOC_CLASSES + 1) * sizeof(rounds[0]));
	os_mutex_lock(&threads_lock);
	list_for_each(pos, &threads) {
		struct thread *t = list_entry(pos, struct thread, list);

		for (c = 1; c <= NR_KMALLOC_CLASSES; c++) {
			struct magazine *previous = READ_ONCE(t->class[c].previous);
			void **top = READ_ONCE(t->tls->top[c]);

			if (top != NO_TOP)
				rounds[c] += (size_t)(top -
						      magazine_bottom(magazine_of_top(top)));
			if (previous)
				rounds[c] += previous->rounds;
		}
	}
	os_mutex_unlock(&threads_lock);
}

#define IDLE_STAMPS	2	/* of 256 ms */

static bool is_idle(const struct magazine *mag)
{
	return (uint32_t)(os_clock_ms() >> 8) - mag->stamp >= IDLE_STAMPS;
}

/* Taken first and looked at then, since its thread may load it at any time. */
static void steal_class(struct thread *t, unsigned class, bool all, struct list_node *stolen)
{
	_Atomic(struct magazine *) *slot = &t->class[class].previous;
	struct magazine *mag, *none = NULL;

	if (!atomic_load_explicit(slot, memory_order_relaxed))
		return;
	mag = atomic_exchange_explicit(slot, NULL, memory_order_acq_rel);
	if (!mag)
		return;
	if (!all && !is_idle(mag) &&
	    atomic_compare_exchange_strong_explicit(slot, &none, mag, memory_order_acq_rel,
						    memory_order_relaxed))
		return;
	list_add(&mag->list, stolen);
}

static void steal_from_all(unsigned class, bool all, struct list_node *stolen)
{
	struct list_node *pos;

	os_mutex_lock(&threads_lock);
	list_for_each(pos, &threads)
		steal_class(list_entry(pos, struct thread, list), class, all, stolen);
	os_mutex_unlock(&threads_lock);
}

void thread_steal_idle(bool all)
{
	struct list_node stolen, *pos, *next;
	unsigned c;

	for (c = 1; c <= NR_KMALLOC_CLASSES && kmalloc_caches[c].size; c++) {
		list_init(&stolen);
		steal_from_all(c, all, &stolen);
		list_for_each_safe(pos, next, &stolen)
			magazine_drain(&kmalloc_caches[c],
				       list_entry(pos, struct magazine, list));
	}
}

/*
 * Their stacks and thread storage are still mapped, and none of them was inside a slow path: what
 * the fast paths were doing leaves their tops valid.
 */
void thread_adopt_others(void)
{
	struct list_node *pos, *next;

	list_for_each_safe(pos, next, &threads) {
		struct thread *t = list_entry(pos, struct thread, list);
		void *object = t;

		if (t->tls == &thread_tls)
			continue;
		list_del(&t->list);
		atomic_fetch_sub_explicit(&nr_threads, 1, memory_order_relaxed);
		thread_flush(t);
		slab_free(&thread_cache, &object, 1);
	}
}

bool thread_any_busy(void)
{
	struct list_node *pos;
	bool busy = false;

	os_mutex_lock(&threads_lock);
	list_for_each(pos, &threads) {
		struct thread *t = list_entry(pos, struct thread, list);

		busy |= t->tls != &thread_tls && atomic_load(&t->tls->busy);
	}
	os_mutex_unlock(&threads_lock);
	return busy;
}
