/* SPDX-License-Identifier: MIT */
/* util.h: memory and strings that cannot fail, and small files read whole. */
#ifndef KB_UTIL_H
#define KB_UTIL_H

#include <stddef.h>
#include <stdio.h>

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The text of a file or of a command's output without the last newline; NULL on failure. */
char *read_text(const char *path);
char *read_command(const char *command);

/* Where temporary files go. */
const char *temp_directory(void);

/* A field such as "Rss:" in a text of "Name: value" lines, as a number; -1 if absent. */
double text_field(const char *text, const char *field);

void fatal(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
