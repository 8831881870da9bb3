/* SPDX-License-Identifier: MIT */
/*
 * Looking through a thread's magazines for what should not be in them.
 *
 * free() puts any pointer with the right slab map value into a magazine and compares it with the
 * last round only.  What it lets pass is found when the rounds go back to their slabs, where the
 * bits are; but a program may end before that, or take the object out again.  So the calling
 * thread's magazines are also looked through once in an epoch of reclaim, and at its end: each
 * round must be the start of an object in use, and be there once.
 *
 * It costs about 3 ns a round, a few thousand rounds at most, some times in a second: nothing for
 * each free.
 *
 * A signal handler may push and pop rounds meanwhile, so what looks wrong is looked at again.
 *
 * Locks: none.  The magazines are the caller's; previous is taken out while it is looked at, since
 * others may steal it.
 */
#include <string.h>

#include "lib/bug.h"
#include "magazine/thread.h"

#define NR_BUCKETS	512u		/* more than twice the rounds of two magazines */

static_assert(2 * MAX_ROUNDS <= NR_BUCKETS / 2 && 2 * MAX_ROUNDS < 256, "a byte holds the number");

struct audit {
	struct kmem_cache *s;
	void **bottom[2];		/* of the loaded magazine and of previous */
	unsigned rounds[2];
	uint8_t number[NR_BUCKETS];	/* of the round that hashes here, from 1; 0: none */
};

static void **place_of(const struct audit *a, unsigned i)
{
	return i < a->rounds[0] ? a->bottom[0] + i : a->bottom[1] + (i - a->rounds[0]);
}

static unsigned bucket_of(const void *object)
{
	return (uint32_t)((uintptr_t)object >> 4) * UINT32_C(0x9e3779b1) >> 23;
}

/* Is another round before number @i the same?  If not, this one is remembered. */
static bool seen_before(struct audit *a, unsigned i)
{
	const void *object = READ_ONCE(*place_of(a, i));
	unsigned b = bucket_of(object);

	for (; a->number[b]; b = (b + 1) % NR_BUCKETS)
		if (READ_ONCE(*place_of(a, a->number[b] - 1u)) == object)
			return READ_ONCE(*place_of(a, i)) == object;
	a->number[b] = (uint8_t)(i + 1);
	return false;
}

static bool is_wrong(struct audit *a, unsigned i)
{
	const void *object = READ_ONCE(*place_of(a, i));

	if (unlikely(!slab_is_object_in_use(a->s, object)))
		return READ_ONCE(*place_of(a, i)) == object;
	return seen_before(a, i);
}

/* The first wrong round, or one more than there are. */
static unsigned find_wrong(struct audit *a)
{
	unsigned all = a->rounds[0] + a->rounds[1], i;

	memset(a->number, 0, sizeof(a->number));
	for (i = 0; i < all && !is_wrong(a, i); i++)
		;
	return i;
}

static void describe(struct audit *a, struct kmem_cache *s, void **top, struct magazine *previous)
{
	struct magazine *mag = top == NO_TOP ? NULL : magazine_of_top(top);

	a->s = s;
	a->bottom[0] = mag ? magazine_bottom(mag) : NULL;
	a->rounds[0] = mag ? (unsigned)(top - a->bottom[0]) : 0;
	a->bottom[1] = previous ? magazine_bottom(previous) : NULL;
	a->rounds[1] = previous ? magazine_rounds(previous) : 0;
}

/* The last round of its magazine takes its place. */
static void *remove_round(struct audit *a, unsigned i, void ***top, struct magazine *previous)
{
	void **place = place_of(a, i), *object = *place;

	if (i < a->rounds[0])
		*place = *--*top;
	else
		*place = magazine_take(previous);
	return object;
}

static void audit_pair(struct kmem_cache *s, void ***top, struct thread_class *tc)
{
	/* acq_rel: pairs with the exchange in steal_previous; the rounds travel with the pointer */
	struct magazine *previous = atomic_exchange_explicit(&tc->previous, NULL,
							     memory_order_acq_rel);
	void *bad[4];
	unsigned nr_bad = 0, i;
	struct audit a;

	for (;;) {
		describe(&a, s, *top, previous);
		i = find_wrong(&a);
		if (likely(i == a.rounds[0] + a.rounds[1]) || nr_bad == ARRAY_SIZE(bad))
			break;
		bad[nr_bad++] = remove_round(&a, i, top, previous);
	}
	/* release: pairs with the exchanges that take it */
	atomic_store_explicit(&tc->previous, previous, memory_order_release);
	for (i = 0; i < nr_bad; i++)
		slab_report(bad[i]);
}

static void audit_slots(struct thread *t)
{
	unsigned i;

	for (i = 0; i < t->tls->nr_slots; i++) {
		struct thread_slot *slot = &t->tls->slots[i];

		if (slot->top != NO_TOP || ATOMIC_READ(slot->rest.previous))
			audit_pair(cache_of_id(i), &slot->top, &slot->rest);
	}
}

void thread_audit(struct thread *t)
{
	unsigned c;

	for (c = 1; c <= NR_KMALLOC_CLASSES; c++)
		if (t->tls->top[c] != NO_TOP || ATOMIC_READ(t->class[c].previous))
			audit_pair(&kmalloc_caches[c], &t->tls->top[c], &t->class[c]);
	audit_slots(t);
	t->audited = READ_ONCE(trim_epochs);
}

void thread_audit_self(void)
{
	if (thread_tls.thread)
		thread_audit(thread_tls.thread);
}
