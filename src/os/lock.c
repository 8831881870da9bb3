/* SPDX-License-Identifier: MIT */
/*
 * The slow halves of the mutex, futex sleeping, and the rank checker of debug builds.
 *
 * The mutex is the third one of Ulrich Drepper, "Futexes Are Tricky" (2011): state 2 says that
 * somebody may sleep, so that an unlock without waiters makes no system call.
 */
#include "os/lock.h"

#include <linux/futex.h>
#include <time.h>

#include "lib/bug.h"
#include "os/syscall.h"

#define SPINS	100		/* about the length of the longest critical section */

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}

void os_futex_wait(_Atomic uint32_t *word, uint32_t value, unsigned ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	os_syscall(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value,
		   ms ? (long)&ts : 0, 0, 0);
}

void os_futex_wake_all(_Atomic uint32_t *word)
{
	os_syscall(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0, 0, 0);
}

/*
 * Wait for another thread without being told when: spin first, then sleep for a millisecond on
 * a word that nobody wakes.  sched_yield would be the name for it, but it is not among the calls
 * that a filter made for the C library's malloc lets through.
 */
void os_yield_cpu(unsigned attempt)
{
	static _Atomic uint32_t nobody;

	if (attempt < SPINS)
		cpu_relax();
	else
		os_futex_wait(&nobody, 0, 1);
}

void os_mutex_lock_slow(struct os_mutex *m)
{
	unsigned i;

	for (i = 0; i < SPINS; i++) {
		cpu_relax();
		if (!atomic_load_explicit(&m->state, memory_order_relaxed) &&
		    os_mutex_trylock(m))
			return;
	}
	/* acquire: pairs with the release in os_mutex_unlock */
	while (atomic_exchange_explicit(&m->state, 2, memory_order_acquire) != 0)
		os_futex_wait(&m->state, 2, 0);
	lock_rank_push(m);
}

bool os_mutex_spin(struct os_mutex *m)
{
	unsigned i;

	for (i = 0; i < 10 * SPINS; i++) {
		if (!atomic_load_explicit(&m->state, memory_order_relaxed) && os_mutex_trylock(m))
			return true;
		cpu_relax();
	}
	return false;
}

void os_mutex_unlock_slow(struct os_mutex *m)
{
	os_syscall(SYS_futex, (long)&m->state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);
}

#if defined(KMALLOC_DEBUG)

#define MAX_HELD	8

static __thread struct os_mutex *held[MAX_HELD];
static __thread unsigned nr_held;

void lock_rank_check(const struct os_mutex *m)
{
	BUG_ON(nr_held && held[nr_held - 1]->rank >= m->rank);
}

void lock_rank_push(struct os_mutex *m)
{
	BUG_ON(nr_held == MAX_HELD);
	held[nr_held++] = m;
}

void lock_rank_pop(struct os_mutex *m)
{
	BUG_ON(!nr_held || held[nr_held - 1] != m);
	nr_held--;
}

#endif
