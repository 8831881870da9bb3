/* SPDX-License-Identifier: MIT */
/* util.c: see util.h. */
#include "driver/util.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void fatal(const char *fmt, ...)
{
	va_list ap;

	fputs("kmalloc-bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		fatal("out of memory");
	return p;
}

void *xrealloc(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		fatal("out of memory");
	return p;
}

char *xstrdup(const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		fatal("out of memory");
	return copy;
}

char *xprintf(const char *fmt, ...)
{
	char *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		fatal("out of memory");
	va_end(ap);
	return s;
}

static char *read_stream(FILE *f)
{
	char *text = NULL;
	size_t size = 0, n = 0, got;

	do {
		size = size ? size * 2 : 4096;
		text = xrealloc(text, size, 1);
		got = fread(text + n, 1, size - n - 1, f);
		n += got;
	} while (n == size - 1);
	text[n] = 0;
	if (n && text[n - 1] == '\n')
		text[n - 1] = 0;
	return text;
}

char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text;

	if (!f)
		return NULL;
	text = read_stream(f);
	fclose(f);
	return text;
}

char *read_command(const char *command)
{
	FILE *f = popen(command, "re");
	char *text;

	if (!f)
		return NULL;
	text = read_stream(f);
	if (pclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

const char *temp_directory(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp ? tmp : "/tmp";
}

double text_field(const char *text, const char *field)
{
	const char *hit = text ? strstr(text, field) : NULL;

	return hit ? strtod(hit + strlen(field), NULL) : -1;
}
