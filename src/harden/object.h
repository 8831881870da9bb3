/* SPDX-License-Identifier: MIT */
/*
 * The state of a hardened object, in its last eight bytes: the mark.
 *
 *	in use	| what was requested | zeroes | mark |	the mark is never 0
 *	free	| zeroes                      | 0    |
 *
 *	mark:	in use (1 bit) | slack (15) | check (40) | 0 (8)
 *
 * The slack is what lies between the end of the request and the end of the object, the check a
 * product of the object's address, the slack and secrets.  The first byte in memory is 0, because
 * it ends strings that have no end.  So a mark says three things at once: that the object is in
 * use, how much of it was requested, and that nobody wrote over its end.  The slack goes into the
 * factor's highest bits, so that a mark with another slack never has the same check.
 */
#ifndef HARDEN_OBJECT_H
#define HARDEN_OBJECT_H

#include "harden/harden.h"
#include "lib/bits.h"

#define MARK_IN_USE	(UINT64_C(1) << 63)
#define SLACK_SHIFT	48
#define CHECK_SHIFT	8
#define CHECK_BITS	40

static_assert(CHECK_SHIFT + CHECK_BITS == SLACK_SHIFT, "nothing between check and slack");

typedef uint64_t harden_word __attribute__((may_alias));
typedef uint64_t harden_vector __attribute__((vector_size(16), may_alias));

/* Addresses have 47 bits. */
static inline uint64_t mark_make(const void *object, size_t slack)
{
	uint64_t check = ((uintptr_t)object ^ harden.secret[0] ^ slack << SLACK_SHIFT) *
			 harden.secret[1];

	return (check >> (64 - CHECK_BITS)) << CHECK_SHIFT | slack << SLACK_SHIFT | MARK_IN_USE;
}

/* The slack that @mark says, if it is one. */
static inline size_t mark_slack(uint64_t mark)
{
	return (mark & ~MARK_IN_USE) >> SLACK_SHIFT;
}

/* Never true for 0. */
static inline bool mark_is_good(const void *object, uint64_t mark)
{
	return mark == mark_make(object, mark_slack(mark));
}

static inline harden_word *mark_of(const struct harden_class *c, void *object)
{
	return (harden_word *)((char *)object + c->size - HARDEN_MARK);
}

/* @size is a multiple of 16. */
static inline bool object_is_zero(const void *object, size_t size)
{
	const harden_vector *v = object, *end = v + size / sizeof(*v);
	harden_vector sum = { 0 }, more = { 0 };

	for (; end - v >= 4; v += 4) {
		sum |= v[0] | v[1];
		more |= v[2] | v[3];
	}
	for (; v < end; v++)
		sum |= *v;
	sum |= more;
	return !(sum[0] | sum[1]);
}

/* Small ones; the compiler must not see that this is memset, which is dearer to call. */
static inline void object_zero(void *object, size_t size)
{
	harden_vector *v = object, *end = v + size / sizeof(*v);

	for (; v < end; v++) {
		*v = (harden_vector){ 0 };
		OPAQUE(v);
	}
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

	return offset < c->slab_used && offset * c->divides < c->divides;
}

#define ZERO_INLINE	256u

static inline void object_wipe(const struct harden_class *c, void *object, size_t slack)
{
	if (likely(harden.zero && c->size <= ZERO_INLINE)) {
		object_zero(object, c->size);
		return;
	}
	if (harden.zero)
		__builtin_memset(object, 0, c->size - slack);
	*mark_of(c, object) = 0;
}

__cold void object_report_written(unsigned class, void *object);
__cold void object_report_free(unsigned class, void *object);

/*
 * A free object becomes one in use with @request bytes.  False if it had been written to, which is
 * reported; it must not be used then.
 */
static __always_inline bool object_hand_out(unsigned class, void *object, size_t request)
{
	const struct harden_class *c = &harden.class[class];
	harden_word *mark = mark_of(c, object);

	if (unlikely(likely(harden.check) ? !object_is_zero(object, c->size) : *mark != 0)) {
		object_report_written(class, object);
		return false;
	}
	if (unlikely(!harden.zero) && harden.exact)	/* what was there before is no overflow */
		__builtin_memset((char *)object + request, 0, c->size - HARDEN_MARK - request);
	*mark = mark_make(object, likely(harden.exact) ? c->size - request : HARDEN_MARK);
	return true;
}

/* The slack of an object in use; SIZE_MAX if it is none or something was written over its end. */
static inline size_t object_slack(const struct harden_class *c, void *object)
{
	uint64_t mark;
	size_t slack;

	if (unlikely(!object_in_place(c, object)))
		return SIZE_MAX;
	mark = *mark_of(c, object);
	slack = mark_slack(mark);
	if (unlikely(!mark_is_good(object, mark) ||
		     !slack_is_zero(object, c->size - slack, c->size - HARDEN_MARK)))
		return SIZE_MAX;
	return slack;
}

/* An object in use becomes a free one.  False after a report: it was none, or was written over. */
static __always_inline bool object_retire(unsigned class, void *object)
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
