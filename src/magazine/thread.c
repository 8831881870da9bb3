/* SPDX-License-Identifier: MIT */
/*
 * Threads that come and go.
 *
 * A thread gets its struct thread in its first slow path.  It loses it in the last round of pthread
 * key destructors, so that other destructors still find magazines; whatever it frees after that
 * (the C library frees some itself) goes to the slabs one by one.
 *
 * States (thread_tls.state): NEW -> LIVE -> DEAD.  A thread that cannot get memory for its struct
 * thread stays NEW and tries again.  EARLY is what a zeroed thread_tls says: the dynamic linker
 * calls malloc for resolvers of indirect functions before it copies the initial thread storage.
 *
 * Locks: threads_lock guards the list and keeps its members from exiting.  A thread's loaded
 * magazines are its own; others read its tops only for statistics, and in the child of a fork.
 */
#include "magazine/exchange.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "lib/bug.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

static struct os_mutex threads_lock = OS_MUTEX(RANK_THREADS);
struct list_node threads = { &threads, &threads };
static struct kmem_cache thread_cache;
static pthread_key_t exit_key;
static bool have_exit_key;
static bool exits_unseen;		/* there are threads, but no key was left: no magazines */

_Atomic unsigned nr_threads;
uint8_t thread_class_of[SIZE_STEPS];

/* Before glibc 2.34 these live in libpthread; without it there is one thread only. */
extern __typeof__(pthread_key_create) pthread_key_create __weak_ref;
extern __typeof__(pthread_setspecific) pthread_setspecific __weak_ref;

/* The mark says to a signal handler of the thread that the lock is perhaps its own. */
void threads_lock_take(void)
{
	WRITE_ONCE(thread_tls.listing, true);
	os_mutex_lock(&threads_lock);
}

void threads_lock_drop(void)
{
	os_mutex_unlock(&threads_lock);
	WRITE_ONCE(thread_tls.listing, false);
}

/*
 * Birth.
 */

static void thread_destroy(struct thread *t, enum thread_state state);

static void thread_link(struct thread *t)
{
	threads_lock_take();
	list_add_tail(&t->list, &threads);
	atomic_fetch_add_explicit(&nr_threads, 1, memory_order_relaxed);
	threads_lock_drop();
}

/* What it allocates from.  In hardened mode malloc finds no class, and so the slow path. */
static bool thread_arm(struct thread *t)
{
	if (unlikely(harden.on))
		return (t->hard = harden_thread_new());
	memcpy(thread_tls.class_of, thread_class_of, sizeof(thread_tls.class_of));
	return true;
}

static struct thread *thread_create(void)
{
	struct thread *t;
	void *object;

	if (!slab_alloc(&thread_cache, &object, 1))
		return NULL;
	t = memset(object, 0, sizeof(*t));
	t->tls = &thread_tls;
	if (!thread_arm(t)) {
		slab_free(&thread_cache, &object, 1);
		return NULL;
	}
	thread_link(t);
	thread_tls.thread = t;
	thread_tls.state = THREAD_LIVE;
	/* It was counted as unlisted when it entered the gate: now it is on the list, busy. */
	atomic_fetch_sub(&gate_unlisted, 1);
	/* Last, since it may allocate.  If it cannot, nobody would take the thread off the list. */
	if (have_exit_key && pthread_setspecific(exit_key, t)) {
		thread_destroy(t, THREAD_NEW);
		return NULL;
	}
	return t;
}

struct thread *thread_self(void)
{
	if (likely(thread_tls.thread))
		return thread_tls.thread;
	return thread_tls.state == THREAD_NEW && !exits_unseen ? thread_create() : NULL;
}

/* In the first slow path of a thread, and in those of one that has no magazines. */
void *thread_alloc_first(unsigned class)
{
	if (!thread_self())
		return magazine_alloc_one(&kmalloc_caches[class]);
	return thread_alloc(class);
}

void thread_free_first(unsigned class, void *object)
{
	if (!thread_self())
		magazine_free_one(&kmalloc_caches[class], object);
	else
		thread_free(class, object);
}

/*
 * Death.
 */

static void flush_pair(struct kmem_cache *s, void ***top, struct thread_class *tc)
{
	struct magazine *mag = magazine_unload(top, tc);

	if (mag)
		depot_put(s, mag);
	mag = atomic_exchange_explicit(&tc->previous, NULL, memory_order_acq_rel);
	if (mag)
		depot_put(s, mag);
}

static void flush_slots(struct thread *t)
{
	unsigned i;

	for (i = 0; i < t->tls->nr_slots; i++) {
		struct thread_slot *slot = &t->tls->slots[i];

		if (slot->top != NO_TOP || slot->rest.previous)
			flush_pair(cache_of_id(i), &slot->top, &slot->rest);
	}
}

static void thread_flush(struct thread *t)
{
	unsigned c;

	for (c = 1; c <= NR_KMALLOC_CLASSES; c++)
		flush_pair(&kmalloc_caches[c], &t->tls->top[c], &t->class[c]);
	flush_slots(t);
}

void thread_flush_self(void)
{
	if (thread_tls.thread)
		thread_flush(thread_tls.thread);
}

/* Under threads_lock, or in the child of a fork: whoever counts finds it here or there. */
static void thread_unlink_locked(struct thread *t)
{
	list_del(&t->list);
	atomic_fetch_sub_explicit(&nr_threads, 1, memory_order_relaxed);
	thread_leave_counts(t);
}

static void thread_unlink(struct thread *t)
{
	threads_lock_take();
	thread_unlink_locked(t);
	threads_lock_drop();
}

/* The opposite of thread_create, inside the gate. */
static void thread_destroy(struct thread *t, enum thread_state state)
{
	void *object = t;

	memset(thread_tls.class_of, 0, sizeof(thread_tls.class_of));
	thread_tls.state = (uint8_t)state;
	thread_flush(t);
	if (t->hard)
		harden_thread_delete(t->hard);
	/* From here on the gate must know the thread without the list. */
	atomic_fetch_add(&gate_unlisted, 1);
	thread_unlink(t);
	thread_tls.thread = NULL;
	thread_slots_free(thread_tls.slots);
	thread_tls.slots = NULL;
	thread_tls.nr_slots = 0;
	thread_tls.slot_bytes = 0;
	slab_free(&thread_cache, &object, 1);
}

static void thread_exit(struct thread *t)
{
	/* However long a fork takes: the list must not keep a thread whose storage is gone. */
	while (!gate_enter())
		;
	thread_audit(t);
	thread_destroy(t, THREAD_DEAD);
	gate_leave();
}

/* Other keys' destructors free things too: stay until the last round. */
#if defined(UNDER_TSAN)
#define EXIT_ROUNDS	(PTHREAD_DESTRUCTOR_ITERATIONS - 1)	/* the last one is TSan's */
#else
#define EXIT_ROUNDS	PTHREAD_DESTRUCTOR_ITERATIONS
#endif

static void exit_destructor(void *arg)
{
	struct thread *t = arg;

	if (++t->exits < EXIT_ROUNDS && !pthread_setspecific(exit_key, t))
		return;
	thread_exit(t);
}

void thread_init(void)
{
	cache_init(&thread_cache, "thread", sizeof(struct thread), CACHE_LINE, 0);
	thread_cache.internal = true;
	have_exit_key = pthread_key_create && pthread_setspecific &&
			!pthread_key_create(&exit_key, exit_destructor);
	exits_unseen = pthread_key_create && !have_exit_key;
}

/*
 * Seen from others.
 */

/* Pointers only under the lock: draining may purge, and that is a system call. */
static void collect_slot(struct kmem_cache *s, struct thread_slot *slot,
			 struct list_node *magazines)
{
	struct magazine *mag[] = { magazine_unload(&slot->top, &slot->rest),
		atomic_exchange_explicit(&slot->rest.previous, NULL, memory_order_acq_rel) };

	for (unsigned i = 0; i < ARRAY_SIZE(mag); i++)
		if (mag[i])
			list_add(&mag[i]->list, magazines);
	slot->rest.capacity = 0;	/* the next cache with this id has sizes of its own */
	depot_add_handed(s, &slot->rest);
}

void thread_forget_cache(struct kmem_cache *s)
{
	struct list_node magazines = { &magazines, &magazines }, *pos, *next;

	threads_lock_take();
	list_for_each(pos, &threads) {
		struct thread_tls *tls = list_entry(pos, struct thread, list)->tls;

		if (s->id < tls->nr_slots)
			collect_slot(s, &tls->slots[s->id], &magazines);
	}
	threads_lock_drop();
	list_for_each_safe(pos, next, &magazines)
		magazine_drain(s, list_entry(pos, struct magazine, list));
}

/* Not loaded in this epoch, nor in the one before. */
static __racy bool is_idle(const struct magazine *mag)
{
	return RACY_READ(trim_epochs) - RACY_READ(mag->stamp) >= 2;
}

/*
 * Looked at before it is taken, since what was taken cannot be put back: its thread may have set
 * another one meanwhile.  The stamp may be wrong by then (magazines stay mapped, whatever becomes
 * of them), and then one is taken too early or too late.
 */
static void steal_previous(struct thread_class *tc, bool all, struct list_node *stolen)
{
	struct magazine *mag = atomic_load_explicit(&tc->previous, memory_order_acquire);

	/* acq_rel: pairs with the release in set_previous; the rounds travel with the pointer */
	if (mag && (all || is_idle(mag)) &&
	    atomic_compare_exchange_strong_explicit(&tc->previous, &mag, NULL,
						    memory_order_acq_rel, memory_order_relaxed))
		list_add(&mag->list, stolen);
}

static struct thread_class *class_in_thread(struct thread *t, const struct kmem_cache *s)
{
	if (s->map_value <= NR_KMALLOC_CLASSES)
		return &t->class[s->map_value];
	return s->id < t->tls->nr_slots ? &t->tls->slots[s->id].rest : NULL;
}

static void steal_from_all(const struct kmem_cache *s, bool all, struct list_node *stolen)
{
	struct list_node *pos;

	threads_lock_take();
	list_for_each(pos, &threads) {
		struct thread_class *tc =
			class_in_thread(list_entry(pos, struct thread, list), s);

		if (tc)
			steal_previous(tc, all, stolen);
	}
	threads_lock_drop();
}

static void steal_cache(struct kmem_cache *s, void *arg)
{
	struct list_node stolen = { &stolen, &stolen }, *pos, *next;

	steal_from_all(s, *(bool *)arg, &stolen);
	list_for_each_safe(pos, next, &stolen)
		magazine_drain(s, list_entry(pos, struct magazine, list));
}

void thread_steal_idle(bool all)
{
	cache_for_each(steal_cache, &all);
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
		thread_flush(t);
		if (t->hard)
			harden_adopt(t->hard);
		thread_unlink_locked(t);
		thread_slots_free(t->tls->slots);
		slab_free(&thread_cache, &object, 1);
	}
}

static bool any_busy_locked(void)
{
	struct list_node *pos;
	bool busy = false;

	list_for_each(pos, &threads) {
		struct thread *t = list_entry(pos, struct thread, list);

		busy |= t->tls != &thread_tls && atomic_load(&t->tls->busy);
	}
	return busy;
}

/*
 * A signal handler may have interrupted its own thread with any lock held, so it does not wait.
 * If it is this one, nobody else changes the list, and forwards it can be walked at any moment.
 */
bool thread_any_busy(void)
{
	bool own = READ_ONCE(thread_tls.listing), busy;

	if (!atomic_load_explicit(&thread_tls.busy, memory_order_relaxed))
		threads_lock_take();
	else if (!os_mutex_spin(&threads_lock))
		return !own || any_busy_locked();
	busy = any_busy_locked();
	os_mutex_unlock(&threads_lock);
	WRITE_ONCE(thread_tls.listing, own);
	return busy;
}
