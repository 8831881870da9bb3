/* SPDX-License-Identifier: MIT */
/*
 * What the API tests share: values the compiler cannot see through, blocks that
 * can be recognised after the fact, and symbols looked up by name (glibc before
 * 2.42 declares neither free_sized nor the __libc_ aliases).
 */
#ifndef TESTS_API_H
#define TESTS_API_H

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KIB		((size_t)1 << 10)
#define MIB		((size_t)1 << 20)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* A size the compiler must take as it comes: no warning, no folding. */
static inline size_t hide(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline void *hide_ptr(const void *p)
{
	uintptr_t v = hide((uintptr_t)p);

	return (void *)v;
}

static inline size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static inline bool is_aligned(const void *p, size_t align)
{
	return ((uintptr_t)p & (align - 1)) == 0;
}

/* As in glibc: blocks with a mapping of their own count in hblkhd, all others in uordblks. */
static inline size_t live_bytes(void)
{
	struct mallinfo2 mi = mallinfo2();

	return mi.uordblks + mi.hblkhd;
}

static inline void fill(void *p, size_t n, unsigned seed)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = (unsigned char)(seed + i + (i >> 8));
}

static inline bool is_filled(const void *p, size_t n, unsigned seed)
{
	const unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		if (c[i] != (unsigned char)(seed + i + (i >> 8)))
			return false;
	return true;
}

static inline bool is_zero(const void *p, size_t n)
{
	const unsigned char *c = p;

	return n == 0 || (c[0] == 0 && memcmp(c, c + 1, n - 1) == 0);
}

/* The function that a program calling `name` reaches; fails the test if none. */
static inline void *family(const char *name)
{
	void *fn = dlsym(RTLD_DEFAULT, name);

	cr_assert(fn != NULL, "%s is not exported", name);
	return fn;
}

/* ISO C forbids object to function casts; POSIX guarantees that they work. */
#define FAMILY(type, var, name)				\
	__typeof__(type) var;				\
	do {						\
		void *fn_ = family(name);		\
		memcpy(&(var), &fn_, sizeof(fn_));	\
	} while (0)

#endif /* TESTS_API_H */
