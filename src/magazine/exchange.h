/* SPDX-License-Identifier: MIT */
/*
 * What happens when the loaded magazine is empty or full, inline for those who come here most.
 * The order of preference is told in magazine.c.
 */
#ifndef MAGAZINE_EXCHANGE_H
#define MAGAZINE_EXCHANGE_H

#include "magazine/depot.h"
#include "magazine/thread.h"

/*
 * Loading and unloading.  @top is the place of the thread that knows its loaded magazine.
 */

static inline void load(void ***top, struct magazine *mag)
{
	*top = magazine_top(mag);
}

/*
 * The loaded magazine with its top noted; NULL if there is none.  The thread has none from
 * here on: a signal handler that allocates must not find one whose top is noted already.
 *
 * While a magazine is loaded, mag->top still is where its top was @then.  If it has sunk, the
 * program took at least so many rounds; what it took and put back meanwhile nobody can know.
 */
static inline struct magazine *unload_from(void ***top, uint16_t *then)
{
	void **old = *top;
	struct magazine *mag;

	if (old == NO_TOP)
		return NULL;
	WRITE_ONCE(*top, NO_TOP);
	mag = magazine_of_top(old);
	*then = mag->top;
	mag->top = (uint16_t)((char *)old - (char *)mag);
	return mag;
}

/* One that was found full: nothing was taken. */
static inline struct magazine *unload_full(void ***top)
{
	uint16_t then;

	return unload_from(top, &then);
}

/* One that was found empty.  A signal handler may have freed into it since: less than nothing. */
static inline struct magazine *unload_empty(void ***top, struct thread_class *tc)
{
	uint16_t then;
	struct magazine *mag = unload_from(top, &then);

	if (likely(mag))
		ADD_ONCE(tc->handed, then - mag->top);
	return mag;
}

/* Any other. */
static inline struct magazine *magazine_unload(void ***top, struct thread_class *tc)
{
	uint16_t then;
	struct magazine *mag = unload_from(top, &then);

	if (mag && then > mag->top)
		ADD_ONCE(tc->handed, then - mag->top);
	return mag;
}

/* acq_rel: pairs with the exchange in thread_steal_idle; the rounds travel with the pointer */
static inline struct magazine *take_previous(struct thread_class *tc)
{
	return atomic_exchange_explicit(&tc->previous, NULL, memory_order_acq_rel);
}

static inline void set_previous(struct thread_class *tc, struct magazine *mag)
{
	WRITE_ONCE(mag->stamp, READ_ONCE(trim_epochs));
	atomic_store_explicit(&tc->previous, mag, memory_order_release);
}

/*
 * Of magazine.c: what is rare.
 */
__slow void magazine_grow_capacity(struct thread_class *tc, const struct kmem_cache *s);
__slow bool magazine_not_yet(struct thread_class *tc);
__cold void *magazine_alloc_uncovered(struct kmem_cache *s, void ***top, struct thread_class *tc,
				      struct magazine *loaded);
__slow void *magazine_alloc_from_slabs(struct kmem_cache *s, void ***top, struct thread_class *tc,
				       struct magazine *loaded);
__slow void magazine_keep_full(struct kmem_cache *s, void ***top, struct magazine *loaded,
			       void *object);
__cold void magazine_report_double(void *object);

static inline void grow_capacity(struct thread_class *tc, const struct kmem_cache *s)
{
	if (unlikely(tc->capacity < s->max_rounds))
		magazine_grow_capacity(tc, s);
}

/* An object, when the loaded magazine was found empty. */
static __always_inline void *magazine_refill(struct kmem_cache *s, void ***top,
					     struct thread_class *tc)
{
	struct magazine *loaded = unload_empty(top, tc), *previous, *full;
	void **slot;

	if (unlikely(loaded && !magazine_is_empty(loaded)))
		return magazine_alloc_uncovered(s, top, tc, loaded);
	full = previous = take_previous(tc);
	if (!previous || magazine_is_empty(previous))
		full = depot_swap_empty(s, previous);
	if (unlikely(!full))
		return magazine_alloc_from_slabs(s, top, tc, loaded);
	if (loaded)
		set_previous(tc, loaded);
	if (full != previous)
		grow_capacity(tc, s);
	slot = magazine_top(full) - 1;
	*top = slot;
	return *slot;
}

/* An empty magazine for the full one that was previous (or NULL); NULL if there is no memory. */
static __always_inline struct magazine *replace_full(struct kmem_cache *s,
						     struct thread_class *tc,
						     struct magazine *previous)
{
	struct magazine *mag = depot_swap_full(s, previous);

	if (unlikely(!mag))
		mag = magazine_new(s);
	grow_capacity(tc, s);
	if (likely(mag))
		magazine_set_capacity(mag, tc->capacity);
	return mag;
}

/* @object goes to another magazine, when the loaded one was found full. */
static __always_inline void magazine_empty_for(struct kmem_cache *s, void ***top,
					       struct thread_class *tc, void *object)
{
	struct magazine *loaded = unload_full(top), *previous = take_previous(tc);
	struct magazine *mag = previous;
	void **slot;

	if (unlikely(!loaded) && !previous && magazine_not_yet(tc)) {
		magazine_free_one(s, object);
		return;
	}
	if (!previous || !magazine_is_empty(previous))
		mag = replace_full(s, tc, previous);
	if (unlikely(!mag)) {
		magazine_keep_full(s, top, loaded, object);
		return;
	}
	if (loaded)
		set_previous(tc, loaded);
	slot = magazine_bottom(mag);
	*slot = object;
	*top = slot + 1;
}

#endif
