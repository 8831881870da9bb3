/* SPDX-License-Identifier: MIT */
/*
 * What a thread holds of hardened objects: those it may hand out, and its quarantine.
 */
#ifndef HARDEN_THREAD_H
#define HARDEN_THREAD_H

#include "harden/object.h"

/* Of one class. */
struct harden_rounds {
	void **ready;			/* then the ring, then the random places */
	uint16_t nr_ready;
	uint16_t head;			/* the oldest in the ring */
	uint32_t nr_delayed;		/* in the quarantine */
};

struct harden_thread {
	uint64_t random;
	struct harden_thread *next;	/* of the unused ones */
	struct harden_rounds class[NR_KMALLOC_CLASSES + 1];
	void *slots[];
};

/* A congruence whose upper half, the good one, is mixed into the lower; its increment is secret. */
static inline uint64_t harden_random(struct harden_thread *t)
{
	uint64_t x = t->random = t->random * UINT64_C(6364136223846793005) + harden.secret[1];

	return x ^ x >> 32;
}

/* 0 … @n - 1, from thirty-two random bits. */
static inline unsigned harden_below(uint32_t bits, unsigned n)
{
	return (unsigned)((uint64_t)bits * n >> 32);
}

/* An object to hand out, or NULL: harden_fill. */
static inline void *harden_take(struct harden_thread *t, unsigned class)
{
	struct harden_rounds *r = &t->class[class];

	return likely(r->nr_ready) ? r->ready[--r->nr_ready] : NULL;
}

/* Is there room for one more?  If not: harden_drain. */
static inline bool harden_has_room(const struct harden_thread *t, unsigned class)
{
	return t->class[class].nr_ready < harden.class[class].max_ready;
}

/* What stood in *place, from where @object stands now. */
static inline void *swap_places(void **place, void *object)
{
	void *old = *place;

	*place = object;
	return old;
}

/*
 * A free object goes into quarantine: to a random place, from where the one that it displaces goes
 * to the end of the ring, from where the oldest becomes ready.  There is room.
 */
static inline void harden_put(struct harden_thread *t, unsigned class, void *object)
{
	const struct harden_class *c = &harden.class[class];
	struct harden_rounds *r = &t->class[class];
	void **ring = r->ready + c->max_ready;

	if (likely(c->random)) {
		object = swap_places(ring + c->ring + (harden_random(t) >> 32 & (c->random - 1u)),
				     object);
		if (likely(object)) {
			object = swap_places(ring + r->head, object);
			r->head = (uint16_t)(r->head + 1 == c->ring ? 0 : r->head + 1);
		}
		if (unlikely(!object)) {
			r->nr_delayed++;
			return;
		}
	}
	r->ready[r->nr_ready++] = object;
}

/* One for a new thread; NULL if there is no memory. */
struct harden_thread *harden_thread_new(void);

/* Its objects go back to their slabs. */
void harden_thread_delete(struct harden_thread *t);

/* The same, but the thread goes on. */
void harden_flush(struct harden_thread *t);

/*
 * The same for a thread that fork() left behind in the middle of anything: its pages were copied
 * one after another while it ran.
 */
void harden_adopt(struct harden_thread *t);

/* Objects from the slabs; false if there is no memory. */
bool harden_fill(struct harden_thread *t, unsigned class);

/* Makes room.  Returns the bytes that went to the slabs. */
size_t harden_drain(struct harden_thread *t, unsigned class);

/* A snapshot of how many objects of the class the thread holds. */
size_t harden_count(struct harden_thread *t, unsigned class);

#endif
