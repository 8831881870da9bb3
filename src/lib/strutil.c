/* SPDX-License-Identifier: MIT */
/*
 * Slices of text: trimming, cutting, numbers with size suffixes and edit distance. Used where
 * libc's equivalents depend on the locale, set errno or want a NUL at the end.
 */
#include "lib/strutil.h"

#include <limits.h>
#include <string.h>

struct str str_of(const char *text)
{
	return (struct str){ text, strlen(text) };
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.len && is_blank(*s.at)) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (!a.len || memcmp(a.at, b.at, a.len) == 0);
}

struct str str_cut(struct str *rest, const char *separators)
{
	size_t count = strlen(separators);
	struct str head = *rest;

	for (size_t i = 0; i < head.len; i++) {
		if (!memchr(separators, head.at[i], count))
			continue;
		rest->at = head.at + i + 1;
		rest->len = head.len - i - 1;
		head.len = i;
		return head;
	}
	*rest = (struct str){ NULL, 0 };
	return head;
}

/* The binary logarithm of a suffix, 0 if it is none. */
static unsigned int suffix_shift(char c)
{
	static const char suffixes[] = "kmgt";
	const char *found = memchr(suffixes, c | 0x20, sizeof(suffixes) - 1);

	return found ? 10 * (unsigned int)(found - suffixes + 1) : 0;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (unsigned int)((c | 0x20) - 'a') + 10;
	return UINT_MAX;
}

static unsigned int number_base(struct str *s)
{
	if (s->len < 3 || s->at[0] != '0' || (s->at[1] | 0x20) != 'x')
		return 10;
	s->at += 2;
	s->len -= 2;
	return 16;
}

bool str_number(struct str s, bool suffix, unsigned long *value)
{
	unsigned int shift = suffix && s.len ? suffix_shift(s.at[s.len - 1]) : 0;
	unsigned int base = number_base(&s);
	unsigned long number = 0;

	s.len -= shift != 0;
	if (!s.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned int digit = digit_value(s.at[i]);

		if (digit >= base || number > (ULONG_MAX - digit) / base)
			return false;
		number = number * base + digit;
	}
	if (number > ULONG_MAX >> shift)
		return false;
	*value = number << shift;
	return true;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Optimal string alignment, three rows of the table at a time. */
unsigned int str_distance(struct str a, struct str b)
{
	unsigned int rows[3][STR_DISTANCE_MAX + 1];

	if (a.len > STR_DISTANCE_MAX || b.len > STR_DISTANCE_MAX)
		return UINT_MAX;
	for (unsigned int j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= a.len; i++) {
		unsigned int *row = rows[i % 3], *above = rows[(i + 2) % 3];
		const unsigned int *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (unsigned int j = 1; j <= b.len; j++) {
			unsigned int change = a.at[i - 1] != b.at[j - 1];

			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + change);
			if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] &&
			    a.at[i - 2] == b.at[j - 1] && above2[j - 2] + 1 < row[j])
				row[j] = above2[j - 2] + 1;
		}
	}
	return rows[a.len % 3][b.len];
}
