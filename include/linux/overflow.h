/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on sizes that saturates or tells.
 */
#ifndef LIBKMALLOC_LINUX_OVERFLOW_H
#define LIBKMALLOC_LINUX_OVERFLOW_H

#include <linux/types.h>

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

/* SIZE_MAX, which no allocation grants, where the product does not fit. */
static inline size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return __builtin_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline size_t size_sub(size_t a, size_t b)
{
	size_t rest;

	if (a == SIZE_MAX || b == SIZE_MAX || __builtin_sub_overflow(a, b, &rest))
		return SIZE_MAX;
	return rest;
}

static inline size_t array_size(size_t a, size_t b)
{
	return size_mul(a, b);
}

static inline size_t array3_size(size_t a, size_t b, size_t c)
{
	return size_mul(size_mul(a, b), c);
}

/* Bytes of @count elements of the flexible array @member, and of the structure with them. */
#define flex_array_size(p, member, count) \
	size_mul(count, sizeof(*(p)->member))
#define struct_size(p, member, count) \
	size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count) \
	size_add(sizeof(type), size_mul(count, sizeof(*((type *)0)->member)))

#endif
