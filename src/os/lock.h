/* SPDX-License-Identifier: MIT */
/*
 * Mutexes of four bytes on futexes.
 *
 * They are never held across a system call, a callback or a report, so they are held for tens of
 * nanoseconds; a thread that finds one taken spins a little and then sleeps.  They do not survive
 * fork() by themselves: fork waits until no thread is inside the library (magazine/gate.c).
 */
#ifndef OS_LOCK_H
#define OS_LOCK_H

#include "os/lockrank.h"

struct os_mutex {
	_Atomic uint32_t state;		/* 0 free, 1 taken, 2 taken and perhaps waited for */
#if defined(KMALLOC_DEBUG)
	enum lock_rank rank;
#endif
};

#if defined(KMALLOC_DEBUG)
#define OS_MUTEX(r)	{ .state = 0, .rank = (r) }
#else
#define OS_MUTEX(r)	{ .state = 0 }
#endif

static inline void os_mutex_init(struct os_mutex *m, enum lock_rank rank)
{
	*m = (struct os_mutex)OS_MUTEX(rank);
	(void)rank;
}

__slow void os_mutex_lock_slow(struct os_mutex *m);
__slow void os_mutex_unlock_slow(struct os_mutex *m);

/* Sleep while *word == value, at most @ms milliseconds (0: for ever).  May return early. */
void os_futex_wait(_Atomic uint32_t *word, uint32_t value, unsigned ms);
void os_futex_wake_all(_Atomic uint32_t *word);
void os_yield_cpu(unsigned attempt);

static inline bool os_mutex_trylock(struct os_mutex *m)
{
	uint32_t free = 0;

	/* acquire: pairs with the release in os_mutex_unlock */
	if (!atomic_compare_exchange_strong_explicit(&m->state, &free, 1, memory_order_acquire,
						     memory_order_relaxed))
		return false;
	lock_rank_push(m);
	return true;
}

static inline void os_mutex_lock(struct os_mutex *m)
{
	lock_rank_check(m);
	if (unlikely(!os_mutex_trylock(m)))
		os_mutex_lock_slow(m);
}

/* Tries for longer than a critical section takes, but neither sleeps nor makes a system call. */
__slow bool os_mutex_spin(struct os_mutex *m);

static inline void os_mutex_unlock(struct os_mutex *m)
{
	lock_rank_pop(m);
	/* release: pairs with the acquire in os_mutex_trylock and os_mutex_lock_slow */
	if (unlikely(atomic_exchange_explicit(&m->state, 0, memory_order_release) == 2))
		os_mutex_unlock_slow(m);
}

#endif
