/* SPDX-License-Identifier: MIT */
/*
 * The gate between the slow paths and fork().
 *
 * fork() copies the locks of the library as they are at that moment; the child would wait for ever
 * for one that another thread held.  Taking them all before fork() is no cure: the C
 * library then waits for the locks of stdio, and a thread that holds one of those may wait for
 * ours. So fork() takes none.  It closes the gate and waits until the threads inside have left,
 * which takes microseconds since nobody sleeps there; then no lock is held and everything is
 * consistent.
 *
 * A thread that comes to the closed gate waits for the end of the fork, but not for long: it
 * may be the one whose stdio lock fork() waits for.  After PATIENCE_MS it goes on without entering
 * (kmalloc/emergency.c).
 *
 * A signal handler that allocates while its own thread is inside finds busy set and does the same.
 * fork() in such a handler cannot wait for threads that in turn wait for a lock that the handler's
 * thread holds: it waits SIGNAL_PATIENCE_MS at most, and then forks as things are.
 *
 * Orders: gate_enter writes busy and then reads gate_forks, gate_fork_prepare writes gate_forks
 * and then reads busy; all four are sequentially consistent, so at least one of the two sees the
 * other.
 */
#include "lib/bug.h"
#include "magazine/thread.h"
#include "mm/reclaim.h"
#include "mm/vmap.h"

#define PATIENCE_MS		20
#define SIGNAL_PATIENCE_MS	100
#define DRAINED_LOOK		(256u << 10)	/* bytes between two looks at the heap's size */

_Atomic uint32_t gate_forks;
_Atomic uint32_t gate_unlisted;

static void set_inside(void)
{
	atomic_store(&thread_tls.busy, 1);
	if (unlikely(!thread_tls.thread))
		atomic_fetch_add(&gate_unlisted, 1);
}

static void set_outside(void)
{
	if (unlikely(!thread_tls.thread))
		atomic_fetch_sub(&gate_unlisted, 1);
	/* release: what was done inside is seen by whoever sees the thread outside */
	atomic_store_explicit(&thread_tls.busy, 0, memory_order_release);
}

static bool wait_outside(void)
{
	uint64_t end = os_clock_ms() + PATIENCE_MS;

	do {
		uint32_t forks = atomic_load(&gate_forks);

		if (forks)
			os_futex_wait(&gate_forks, forks, PATIENCE_MS);
		set_inside();
		if (!atomic_load(&gate_forks))
			return true;
		set_outside();
	} while (os_clock_ms() < end);
	return false;
}

/* A fork is under way, and busy is set. */
bool gate_enter_forking(void)
{
	if (thread_tls.forking)
		return true;
	set_outside();
	return wait_outside();
}

bool gate_enter_unlisted(void)
{
	if (atomic_load_explicit(&thread_tls.busy, memory_order_relaxed))
		return false;
	set_inside();
	return likely(!atomic_load(&gate_forks)) || gate_enter_forking();
}

void gate_leave_unlisted(void)
{
	gate_look_around();
	set_outside();
}

/* What nobody does in the background is done by whoever passes. */
static void reclaim_a_little(void)
{
	bool drained = thread_tls.drained >= DRAINED_LOOK;

	if (drained)
		thread_tls.drained = 0;
	if (ATOMIC_READ(reclaim_in_background))
		return;
	if (reclaim_due())
		trim_epoch();
	if (drained)
		trim_if_shrunk();
}

/* busy keeps the handlers of the own thread off; a fork that begins meanwhile waits. */
bool gate_look(void)
{
	if (atomic_load_explicit(&thread_tls.busy, memory_order_relaxed))
		return false;
	set_inside();
	return true;
}

void gate_look_end(void)
{
	set_outside();
}

void gate_tick(void)
{
	struct thread *t = thread_tls.thread;

	thread_tls.ticks = GATE_TICKS;
	reclaim_a_little();
	if (unlikely(t && reclaim_epoch_ms && t->audited != READ_ONCE(trim_epochs)))
		thread_audit(t);
	if (unlikely(t && !++t->count_ticks))
		thread_count_move(t);
}

void gate_fork_prepare(void)
{
	bool in_handler = atomic_load_explicit(&thread_tls.busy, memory_order_relaxed);
	uint64_t end = os_clock_ms() + SIGNAL_PATIENCE_MS;
	unsigned own = in_handler && !thread_tls.thread, i;

	atomic_fetch_add(&gate_forks, 1);
	thread_tls.forking = true;
	for (i = 0; atomic_load(&gate_unlisted) > own || thread_any_busy(); i++) {
		if (in_handler && os_clock_ms() >= end)
			break;
		os_yield_cpu(i);
	}
}

static void fork_done(void)
{
	thread_tls.forking = false;
	os_futex_wake_all(&gate_forks);
}

void gate_fork_parent(void)
{
	atomic_fetch_sub(&gate_forks, 1);
	fork_done();
}

void gate_fork_child(void)
{
	bool inside = atomic_load_explicit(&thread_tls.busy, memory_order_relaxed);

	os_fork_child();
	atomic_store(&gate_forks, 0);
	atomic_store(&gate_unlisted, inside && !thread_tls.thread);
	atomic_store(&reclaim_in_background, false);
	thread_tls.forking = false;
	if (inside)
		return;			/* in a signal handler: our own slow path holds things */
	cache_fork_child();
	vmap_fork_child();
	set_inside();
	thread_adopt_others();
	set_outside();
}
