/* SPDX-License-Identifier: MIT */
/*
 * Threads: what each one holds, and the gate that keeps fork() and the slow paths apart.
 */
#ifndef MAGAZINE_THREAD_H
#define MAGAZINE_THREAD_H

#include "harden/thread.h"
#include "magazine/magazine.h"

/* What a thread has for a cache that is not one of kmalloc's. */
struct thread_slot {
	void **top;			/* NO_TOP while there is no magazine */
	struct thread_class rest;
};

struct thread {
	struct list_node list;		/* threads, under threads_lock */
	struct thread_tls *tls;
	struct harden_thread *hard;	/* in hardened mode, instead of magazines */
	uint16_t exits;			/* how often the key's destructor has seen it */
	uint16_t count_ticks;		/* when it wraps around, thread_count_move */
	uint32_t audited;		/* the epoch in which its magazines were looked through */
	struct thread_class class[NR_KMALLOC_CLASSES + 1];
};

extern _Atomic unsigned nr_threads;	/* on the list */

/* What a live thread's class_of is copied from; filled by kmalloc/sizes.c before any thread. */
extern uint8_t thread_class_of[SIZE_STEPS] __hidden;

/* Once, at start. */
void thread_init(void);

/* For the files that look at the list of threads, or at what others see of the caller's. */
extern struct list_node threads __hidden;
void threads_lock_take(void);
void threads_lock_drop(void);

/* A table of thread_slots.c, or NULL. */
void thread_slots_free(struct thread_slot *slots);

/* The calling thread's magazines, made at first use.  NULL: it works without.  Inside the gate. */
struct thread *thread_self(void);

/*
 * The slow halves for the kmalloc caches, by class, and for other caches.  Inside the gate.
 */
__slow void *thread_alloc_first(unsigned class);
__slow void thread_free_first(unsigned class, void *object);

static inline void *thread_alloc(unsigned class)
{
	struct thread *t = thread_tls.thread;

	if (unlikely(!t))
		return thread_alloc_first(class);
	return magazine_alloc(&kmalloc_caches[class], &thread_tls.top[class], &t->class[class]);
}

static inline void thread_free(unsigned class, void *object)
{
	struct thread *t = thread_tls.thread;

	if (unlikely(!t))
		thread_free_first(class, object);
	else
		magazine_free(&kmalloc_caches[class], &thread_tls.top[class], &t->class[class],
			      object);
}

void *thread_cache_alloc(struct kmem_cache *s);
void thread_cache_free(struct kmem_cache *s, void *object);

/*
 * All threads' magazines of a cache that is not one of kmalloc's and that nobody uses any more are
 * drained.
 */
void thread_forget_cache(struct kmem_cache *s);

/*
 * What is in all threads' magazines, and what the program took from magazines since the start, as
 * far as it can be known: count.c.  A snapshot that others change meanwhile.
 */
struct thread_count {
	size_t rounds, handed;
};

void thread_count_classes(struct thread_count count[NR_KMALLOC_CLASSES + 1]);

/* Of one cache that is not one of kmalloc's. */
struct thread_count thread_count_cache(struct kmem_cache *s);

/* What a thread has counted stays with the depots when it goes.  Under the lock of the list. */
void thread_leave_counts(struct thread *t);
void thread_count_move(struct thread *t);
void depot_add_handed(struct kmem_cache *s, struct thread_class *tc);

/* Takes previous magazines that their threads have not touched for a while. */
void thread_steal_idle(bool all);

/* In the child of a fork: the magazines of the threads that did not come along. */
void thread_adopt_others(void);

/* Is a listed thread other than the calling one inside the gate? */
bool thread_any_busy(void);

/*
 * Looks through a thread's magazines for pointers that are no objects in use, or there twice: they
 * are reported and taken out.  By the thread itself (audit.c).
 */
void thread_audit(struct thread *t);
void thread_audit_self(void);

/* Gives back the calling thread's own magazines. */
void thread_flush_self(void);

/* In hardened mode: its objects, those in quarantine too. */
static inline void thread_flush_hardened(void)
{
	if (harden.on && thread_tls.thread)
		harden_flush(thread_tls.thread->hard);
}

/*
 * The gate.  Every slow path runs between gate_enter and gate_leave.
 *
 * gate_enter returns false if the caller must not wait for anything: it is a signal handler
 * that interrupted a slow path of its own thread, or a fork() has been under way for so long that
 * it may be waiting for a lock (of stdio, say) that the caller holds.
 */
extern _Atomic uint32_t gate_forks __hidden;	/* fork() calls under way */
extern _Atomic uint32_t gate_unlisted __hidden;	/* inside the gate, but on no list */

__slow bool gate_enter_unlisted(void);
__slow void gate_leave_unlisted(void);
__slow bool gate_enter_forking(void);
__slow void gate_tick(void);


/* For a thread that is listed.  seq_cst: see gate.c */
static inline bool gate_enter_listed(void)
{
	if (unlikely(atomic_load_explicit(&thread_tls.busy, memory_order_relaxed)))
		return false;
	atomic_store(&thread_tls.busy, 1);
	return likely(!atomic_load(&gate_forks)) || gate_enter_forking();
}

static inline bool gate_enter(void)
{
	return likely(thread_tls.thread) ? gate_enter_listed() : gate_enter_unlisted();
}

/* Now and then, before leaving. */
static inline void gate_look_around(void)
{
	if (unlikely(--thread_tls.ticks == 0))
		gate_tick();
}

static inline void gate_leave_listed(void)
{
	gate_look_around();
	/* release: what was done inside is seen by whoever sees the thread outside */
	atomic_store_explicit(&thread_tls.busy, 0, memory_order_release);
}

static inline void gate_leave(void)
{
	if (unlikely(!thread_tls.thread))
		gate_leave_unlisted();
	else
		gate_leave_listed();
}

/*
 * For who could not enter and only reads for a few instructions, under a lock that the child of a
 * fork makes anew.  False: the lock may be its own thread's.
 */
bool gate_look(void);
void gate_look_end(void);

/* Around fork(): wait until nobody but the caller is inside; let them in again. */
void gate_fork_prepare(void);
void gate_fork_parent(void);
void gate_fork_child(void);

/* How many epochs there were. */
extern uint32_t trim_epochs __hidden;

/* At the end of the process: looks through what is cached, as far as that takes no time. */
void trim_audit(void);

/* Runs an epoch: idle magazines, depots, pages. */
void trim_epoch(void);

/* For processes without a helper: trims if the heap has shrunk. */
void trim_if_shrunk(void);

/* Everything that can be given back.  Returns pages. */
size_t trim_all(void);

#endif
