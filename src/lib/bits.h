/* SPDX-License-Identifier: MIT */
/*
 * Powers of two: rounding, logarithms, lowest set bits.
 */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/compiler.h"

static inline bool is_power_of_2(size_t x)
{
	return x && !(x & (x - 1));
}

/* Position of the highest set bit; x must not be 0.  ilog2(1) = 0, ilog2(5) = 2. */
static inline unsigned ilog2(size_t x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* Smallest n with 1 << n >= x.  order_of(1) = 0, order_of(5) = 3. */
static inline unsigned order_of(size_t x)
{
	return x <= 1 ? 0 : ilog2(x - 1) + 1;
}

/* Position of the lowest set bit; x must not be 0. */
static inline unsigned lowest_bit(uint64_t x)
{
	return (unsigned)__builtin_ctzll(x);
}

/* align is a power of two; align_up wraps for values near SIZE_MAX: check first. */
static inline size_t align_up(size_t x, size_t align)
{
	return (x + align - 1) & ~(align - 1);
}

static inline size_t align_down(size_t x, size_t align)
{
	return x & ~(align - 1);
}

#endif
