/* SPDX-License-Identifier: MIT */
/*
 * stamp.h: every block that a workload gets is marked, and the marks are looked at before it is
 * given back, so that an allocator that hands out the same memory twice, too little of it or
 * misaligned, is caught as wrong instead of being admired as fast.
 *
 * The mark is a word at the start that depends on address and size, and a byte at the end that
 * depends on the size: two blocks that overlap disagree about at least one of them. Alignment is
 * that of max_align_t, and 8 below 16 bytes, where no object can need more (jemalloc, mimalloc).
 */
#ifndef KB_STAMP_H
#define KB_STAMP_H

#include <stdint.h>

#include "worker/work.h"

static inline uint32_t stamp_word(const void *p, size_t size)
{
	return (uint32_t)((uintptr_t)p >> 4) * 2654435761u + (uint32_t)size;
}

static inline void stamp(void *p, size_t size)
{
	unsigned char *c = p;

	if (__builtin_expect(!p, 0))
		work_fail("no memory for %zu bytes", size);
	if (__builtin_expect(((uintptr_t)p & (size < 16 ? 7 : 15)) != 0, 0))
		work_fail("malloc(%zu) returned %p, not aligned", size, p);
	c[size - 1] = (unsigned char)(size * 31 + 7);
	if (size >= 8)
		*(uint32_t *)p = stamp_word(p, size);
}

static inline void stamp_check(const void *p, size_t size)
{
	const unsigned char *c = p;

	if (__builtin_expect(c[size - 1] != (unsigned char)(size * 31 + 7), 0))
		work_fail("block %p of %zu bytes: end overwritten", p, size);
	if (size >= 8 && __builtin_expect(*(const uint32_t *)p != stamp_word(p, size), 0))
		work_fail("block %p of %zu bytes: start overwritten", p, size);
}

static inline void *stamp_malloc(size_t size)
{
	void *p = malloc(size);

	stamp(p, size);
	return p;
}

static inline void stamp_free(void *p, size_t size)
{
	stamp_check(p, size);
	free(p);
}

#endif
