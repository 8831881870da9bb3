/* SPDX-License-Identifier: MIT */
/*
 * strutil - slices of text that need no closing NUL, and what an options parser asks of them.
 * No allocation, no locale, no errno.
 */
#ifndef LIB_STRUTIL_H
#define LIB_STRUTIL_H

#include <stdbool.h>
#include <stddef.h>

/* @len bytes at @at; for printing with "%.*s" and STR_ARG(). */
struct str {
	const char *at;
	size_t len;
};

#define STR_ARG(s) (int)(s).len, (s).at

struct str str_of(const char *text);
struct str str_trim(struct str s);
bool str_equal(struct str a, struct str b);

/*
 * Cut @rest at the first of the @separators: returns what stood before it and leaves in @rest what
 * follows. Without a separator returns everything and leaves nothing (rest->at becomes NULL).
 */
struct str str_cut(struct str *rest, const char *separators);

/* Decimal or 0x number with an optional suffix k, m, g, t (powers of 1024) if @suffix allows. */
bool str_number(struct str s, bool suffix, unsigned long *value);

/* Insertions, deletions, replacements and swaps of neighbours that turn @a into @b. */
enum { STR_DISTANCE_MAX = 32 };		/* longer texts are never near to anything */
unsigned int str_distance(struct str a, struct str b);

#endif
