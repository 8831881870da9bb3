/* SPDX-License-Identifier: MIT */
/*
 * Reports of misuse and of the library's own errors.  Each report is one line, formatted
 * on the stack and written with one write(2), so that lines of several threads do not mix.
 */
#include "lib/bug.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/fmt.h"

#define LINE_MAX_BYTES	512

bool corruption_is_fatal = true;

static void report(const char *fmt, va_list args)
{
	static const char prefix[] = "libkmalloc: ";
	char line[LINE_MAX_BYTES];
	size_t used = sizeof(prefix) - 1;

	__builtin_memcpy(line, prefix, used);
	used += fmt_vsnprint(line + used, sizeof(line) - used - 1, fmt, args);
	used = min(used, sizeof(line) - 2);
	line[used] = '\0';
	fmt_print(2, "%s\n", line);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(fmt, args);
	va_end(args);
}

void corruption_was_reported(void)
{
	if (corruption_is_fatal)
		abort();
}

void corruption(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report(fmt, args);
	va_end(args);
	corruption_was_reported();
}

void bug(const char *file, int line, const char *what)
{
	warn("internal error at %s:%d: %s", file, line, what);
	abort();
}
