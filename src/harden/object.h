/* SPDX-License-Identifier: MIT */
/*
 * The state of a hardened object, in its last eight bytes: the mark.
 *
 *	in use	| what was requested | zeroes | mark |	the mark is never 0
 *	free	| zeroes                      | 0    |
 *
 * A mark is the sum of a number made from the object's address with a secret, and of the slack
 * (the bytes from the end of the request to the end of the object) times SPREAD, shifted by one
 * byte, since the first byte of a mark is 0: it ends strings that were not terminated.  So a mark
 * says three things at once: that the object is in use, how much of it was requested, and that
 * nobody wrote over its end.  One that was changed gives, but for one case in 2^40, a slack that
 * cannot be.
 */
#ifndef HARDEN_OBJECT_H
#define HARDEN_OBJECT_H

#include "harden/harden.h"
#include "lib/bits.h"

#define MARK_IN_USE	(UINT64_C(1) << 63)
#define MARK_SHIFT	8
#define MARK_BITS	55
#define MARK_MASK	((UINT64_C(1) << MARK_BITS) - 1)

/* Odd, and so that no change of a single bit looks like another slack (a test tries them all). */
#define SPREAD		UINT64_C(0x5851f42d4c957f2d)

typedef uint64_t harden_word __attribute__((may_alias));
typedef uint64_t harden_vector __attribute__((vector_size(16), may_alias));

/* SPREAD * spread_inverse() is 1: 3 bits are right at first, and twice as many after each step. */
static inline uint64_t spread_inverse(void)
{
	uint64_t x = SPREAD;

	x *= 2 - SPREAD * x;
	x *= 2 - SPREAD * x;
	x *= 2 - SPREAD * x;
	x *= 2 - SPREAD * x;
	x *= 2 - SPREAD * x;
	return x;
}

static inline uint64_t mark_key(const void *object)
{
	uint64_t key = ((uintptr_t)object ^ harden.secret[0]) * harden.secret[1];

	return key ^ key >> 32;
}

static inline uint64_t mark_make(const void *object, size_t slack)
{
	return (mark_key(object) + slack * SPREAD) << MARK_SHIFT | MARK_IN_USE;
}

/* The slack that @mark says; a number larger than any object's size if it is not a mark. */
static inline size_t mark_slack(const void *object, uint64_t mark)
{
	if (unlikely((mark & (MARK_IN_USE | 0xff)) != MARK_IN_USE))
		return SIZE_MAX;
	return ((mark >> MARK_SHIFT) - mark_key(object)) * spread_inverse() & MARK_MASK;
}

static inline harden_word *mark_of(const struct harden_class *c, void *object)
{
	return (harden_word *)((char *)object + c->size - HARDEN_MARK);
}

/* @size is a multiple of 16. */
static inline bool object_is_zero(const void *object, size_t size)
{
	const harden_vector *v = object, *end = v + size / sizeof(*v);
	harden_vector sum = { 0 };

	for (; v < end; v++)
		sum |= *v;
	return !(sum[0] | sum[1]);
}

static inline void object_zero(void *object, size_t size)
{
	harden_vector *v = object, *end = v + size / sizeof(*v);

	for (; v < end; v++)
		*v = (harden_vector){ 0 };
}

/* Are the bytes from @from up to @to, a multiple of 8, zero? */
static inline bool slack_is_zero(const void *object, size_t from, size_t to)
{
	const harden_word *word = (const harden_word *)((const char *)object + align_down(from, 8));
	const harden_word *end = (const harden_word *)((const char *)object + to);
	uint64_t sum;

	if (word == end)
		return true;
	sum = *word >> from % 8 * 8;
	while (++word < end)
		sum |= *word;
	return !sum;
}

/* Is @object the start of an object of a slab of the class? */
static inline bool object_in_place(const struct harden_class *c, const void *object)
{
	uint32_t offset = (uint32_t)(uintptr_t)object & c->slab_mask;
	uint32_t i = (uint32_t)(offset * c->reciprocal >> RECIPROCAL_SHIFT);

	return i * c->size == offset && i < c->objects;
}

#define ZERO_INLINE	256u

static inline void object_wipe(const struct harden_class *c, void *object, size_t slack)
{
	if (!harden.zero)
		*mark_of(c, object) = 0;
	else if (c->size <= ZERO_INLINE)
		object_zero(object, c->size);
	else {
		__builtin_memset(object, 0, c->size - slack);
		*mark_of(c, object) = 0;
	}
}

__cold void object_report_written(unsigned class, void *object);
__cold void object_report_free(unsigned class, void *object);

/*
 * A free object becomes one in use with @request bytes.  False if it had been written to, which is
 * reported; it must not be used then.
 */
static inline bool object_hand_out(unsigned class, void *object, size_t request)
{
	const struct harden_class *c = &harden.class[class];
	harden_word *mark = mark_of(c, object);

	if (unlikely(*mark || (harden.check && !object_is_zero(object, c->size)))) {
		object_report_written(class, object);
		return false;
	}
	*mark = mark_make(object, harden.exact ? c->size - request : HARDEN_MARK);
	return true;
}

/* The slack of an object in use; SIZE_MAX if it is none or something was written over its end. */
static inline size_t object_slack(const struct harden_class *c, void *object)
{
	size_t slack;

	if (unlikely(!object_in_place(c, object)))
		return SIZE_MAX;
	slack = mark_slack(object, *mark_of(c, object));
	if (unlikely(slack > c->size || slack < HARDEN_MARK ||
		     !slack_is_zero(object, c->size - slack, c->size - HARDEN_MARK)))
		return SIZE_MAX;
	return slack;
}

/* An object in use becomes a free one.  False after a report: it was none, or was written over. */
static inline bool object_retire(unsigned class, void *object)
{
	const struct harden_class *c = &harden.class[class];
	size_t slack = object_slack(c, object);

	if (unlikely(slack == SIZE_MAX)) {
		object_report_free(class, object);
		return false;
	}
	object_wipe(c, object, slack);
	return true;
}

/* What was requested of an object in use; SIZE_MAX if it is none. */
size_t object_request(unsigned class, void *object);

/* The request of an object in use changes; false if it cannot without moving. */
bool object_resize(unsigned class, void *object, size_t request);

#endif
