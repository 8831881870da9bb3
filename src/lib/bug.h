/* SPDX-License-Identifier: MIT */
/*
 * What the library says when something is wrong.
 *
 * Three degrees, all through one write(2), never through stdio or malloc:
 *   warn()        the caller did something odd that does no harm
 *   corruption()  the heap was misused (double free, invalid free): the
 *                 option on_corruption decides between abort and going on
 *   BUG_ON()      the library contradicts itself: always ends the process
 * None of them may be called with a lock held: decide under the lock, report after it.
 */
#ifndef LIB_BUG_H
#define LIB_BUG_H

#include "lib/compiler.h"

/* Set once at start from the option on_corruption. */
extern bool corruption_is_fatal;

__cold void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
__cold void corruption(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* After a report of corruption in other words than those of corruption(). */
__cold void corruption_was_reported(void);
__cold _Noreturn void bug(const char *file, int line, const char *what);

#define BUG_ON(cond) do { \
	if (unlikely(cond)) \
		bug(__FILE__, __LINE__, #cond); \
} while (0)

/* An invariant that costs too much to test in production. */
#if defined(KMALLOC_DEBUG)
#define DEBUG_ON(cond)	BUG_ON(cond)
#else
#define DEBUG_ON(cond)	((void)sizeof(!(cond)))
#endif

#endif
