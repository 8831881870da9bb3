/* SPDX-License-Identifier: MIT */
/*
 * Threads: what each one holds, and the gate that keeps fork() and the slow paths apart.
 */
#ifndef MAGAZINE_THREAD_H
#define MAGAZINE_THREAD_H

#include "magazine/magazine.h"

/* What a thread has for a cache that is not one of kmalloc's. */
struct thread_slot {
	void **top;			/* NO_TOP while there is no magazine */
	struct thread_class rest;
};

struct thread {
	struct list_node list;		/* threads, under threads_lock */
	struct thread_tls *tls;
	uint32_t exits;			/* how often the key's destructor has seen it */
	struct thread_class class[NR_KMALLOC_CLASSES + 1];
};

extern _Atomic unsigned nr_threads;	/* on the list */

/* What a live thread's class_of is copied from; filled by kmalloc/sizes.c before any thread. */
extern uint8_t thread_class_of[SIZE_STEPS] __hidden;

/* Once, at start. */
void thread_init(void);

/* The calling thread's magazines, made at first use.  NULL: it works without.  Inside the gate. */
struct thread *thread_self(void);

/*
 * The slow halves for the kmalloc caches, by class, and for other caches.  Inside the gate.
 */
void *thread_alloc(unsigned class);
void thread_free(unsigned class, void *object);
void *thread_cache_alloc(struct kmem_cache *s);
void thread_cache_free(struct kmem_cache *s, void *object);

/*
 * All threads' magazines of a cache that is not one of kmalloc's and that nobody uses any more are
 * drained.
 */
void thread_forget_cache(struct kmem_cache *s);

/* The rounds in all threads' magazines of one cache that is not one of kmalloc's. */
size_t thread_count_cache_rounds(struct kmem_cache *s);

/* The rounds in all threads' magazines, by class; a snapshot that others change meanwhile. */
void thread_count_rounds(size_t rounds[NR_KMALLOC_CLASSES + 1]);

/* Takes previous magazines that their threads have not touched for a while. */
void thread_steal_idle(bool all);

/* In the child of a fork: the magazines of the threads that did not come along. */
void thread_adopt_others(void);

/* Is a listed thread other than the calling one inside the gate? */
bool thread_any_busy(void);

/* Gives back the calling thread's own magazines. */
void thread_flush_self(void);

/*
 * The gate.  Every slow path runs between gate_enter and gate_leave.
 *
 * gate_enter returns false if the caller must not wait for anything: it is a signal handler
 * that interrupted a slow path of its own thread, or a fork() has been under way for so long that it
 * may be waiting for a lock (of stdio, say) that the caller holds.
 */
__slow bool gate_wait(void);
extern _Atomic uint32_t gate_forks __hidden;	/* fork() calls under way */
extern _Atomic uint32_t gate_unlisted __hidden;	/* threads without a struct thread inside the gate */

void gate_leave(void);
bool gate_enter(void);

/* Around fork(): wait until nobody but the caller is inside; let them in again. */
void gate_fork_prepare(void);
void gate_fork_parent(void);
void gate_fork_child(void);

/* How many epochs there were. */
extern uint32_t trim_epochs __hidden;

/* Runs an epoch: idle magazines, depots, pages. */
void trim_epoch(void);

/* For processes without a helper: trims if the heap has shrunk. */
void trim_if_shrunk(void);

/* Everything that can be given back.  Returns pages. */
size_t trim_all(void);

#endif
