/* SPDX-License-Identifier: MIT */
/*
 * Counting what threads have, and had.
 *
 * Rounds are counted where they are.  What the program took from magazines (handed) is noted when
 * a magazine is unloaded, in 32 bits, and moves to the depot when the thread ends and before it can
 * become too much: a slow path adds less than MAGAZINE_SIZE, and after 2^16 times GATE_TICKS of
 * them all is moved.  It moves under the lock of the list of threads, so that whoever counts finds
 * it exactly once.
 *
 * Locks: that of the list of threads, and depot.lock inside of it.
 */
#include "harden/thread.h"
#include "magazine/exchange.h"

static_assert((UINT64_C(1) << 16) * GATE_TICKS * MAGAZINE_SIZE < INT32_MAX, "handed has room");

/*
 * Of another thread, which writes its top without atomics, since malloc and free would be dearer
 * with them.  The magazines may be anybody's by now, and what comes out nonsense.
 */
static __racy void add_loaded(struct thread_count *count, void ***place)
{
	void **top = RACY_READ(*place);
	struct magazine *mag = magazine_of_top(top);
	size_t now = (size_t)((char *)top - (char *)mag), then;

	if (top == NO_TOP)
		return;
	then = RACY_READ(mag->top);
	count->rounds += (now - RACY_READ(mag->bottom)) / sizeof(void *);
	count->handed += then - min(now, then);
}

static __racy void add_previous(struct thread_count *count, struct magazine *mag)
{
	if (mag)
		count->rounds += ((size_t)RACY_READ(mag->top) - RACY_READ(mag->bottom)) /
				 sizeof(void *);
}

static void add_pair(struct thread_count *count, void ***top, struct thread_class *tc)
{
	add_loaded(count, top);
	add_previous(count, ATOMIC_READ(tc->previous));
	count->handed += (size_t)READ_ONCE(tc->handed);
}

static void add_classes(struct thread_count *count, struct thread *t)
{
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++) {
		if (t->hard)
			count[c].rounds += harden_count(t->hard, c);
		else
			add_pair(&count[c], &t->tls->top[c], &t->class[c]);
	}
}

/* In rounds from here on. */
static void finish(struct thread_count *count, struct kmem_cache *s)
{
	ptrdiff_t bytes = (ptrdiff_t)count->handed + READ_ONCE(s->depot.handed);

	count->handed = (size_t)max(bytes, (ptrdiff_t)0) / sizeof(void *);
}

void thread_count_classes(struct thread_count count[NR_KMALLOC_CLASSES + 1])
{
	struct list_node *pos;

	__builtin_memset(count, 0, (NR_KMALLOC_CLASSES + 1) * sizeof(*count));
	threads_lock_take();
	list_for_each(pos, &threads)
		add_classes(count, list_entry(pos, struct thread, list));
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		finish(&count[c], &kmalloc_caches[c]);
	threads_lock_drop();
}

struct thread_count thread_count_cache(struct kmem_cache *s)
{
	struct thread_count count = { 0, 0 };
	struct list_node *pos;

	threads_lock_take();
	list_for_each(pos, &threads) {
		struct thread_tls *tls = list_entry(pos, struct thread, list)->tls;

		if (s->id < tls->nr_slots)
			add_pair(&count, &tls->slots[s->id].top, &tls->slots[s->id].rest);
	}
	finish(&count, s);
	threads_lock_drop();
	return count;
}

void depot_add_handed(struct kmem_cache *s, struct thread_class *tc)
{
	if (!tc->handed)
		return;
	os_mutex_lock(&s->depot.lock);
	ADD_ONCE(s->depot.handed, tc->handed);
	os_mutex_unlock(&s->depot.lock);
	WRITE_ONCE(tc->handed, 0);
}

void thread_leave_counts(struct thread *t)
{
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		depot_add_handed(&kmalloc_caches[c], &t->class[c]);
	for (unsigned i = 0; i < t->tls->nr_slots; i++)
		if (t->tls->slots[i].rest.handed)
			depot_add_handed(cache_of_id(i), &t->tls->slots[i].rest);
}

void thread_count_move(struct thread *t)
{
	threads_lock_take();
	thread_leave_counts(t);
	threads_lock_drop();
}
