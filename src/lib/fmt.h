/* SPDX-License-Identifier: MIT */
/*
 * fmt - formatted text without stdio, malloc, locks or locale.
 *
 * Everything here may be called from a signal handler, under any lock, in the middle of an
 * allocation and before libc's constructors have run. errno is left as it was.
 *
 * Understood: %% %c %s %d %i %u %x %p, the lengths l, ll and z, the flags '-' and '0', a width
 * and, for %s, a precision; both may be '*'. Whatever else printf has is copied to the output as
 * it stands, and so is the rest of the format, since the arguments can no longer be matched.
 */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define FMT_CHECK(at, first) __attribute__((format(printf, at, first)))

/* Takes @len bytes of finished text; must not allocate if the printing may happen inside malloc. */
typedef void (*fmt_sink)(void *to, const char *text, size_t len);

/*
 * A buffered writer over memory of the caller. A full buffer is handed to @sink; without a sink
 * what no longer fits is dropped. Invariant: used <= size.
 */
struct fmt_out {
	char *buf;
	size_t size;
	size_t used;
	fmt_sink sink;
	void *to;
};

void fmt_out_init(struct fmt_out *out, char *buf, size_t size, fmt_sink sink, void *to);
void fmt_out_fd(struct fmt_out *out, char *buf, size_t size, int fd);
void fmt_out_printf(struct fmt_out *out, const char *fmt, ...) FMT_CHECK(2, 3);
void fmt_out_vprintf(struct fmt_out *out, const char *fmt, va_list ap) FMT_CHECK(2, 0);
void fmt_out_flush(struct fmt_out *out);

/*
 * Both return the number of bytes stored without the closing NUL, so never more than size - 1
 * (the kernel's scnprintf): `at += fmt_snprint(buf + at, sizeof(buf) - at, ...)` is safe.
 */
size_t fmt_vsnprint(char *buf, size_t size, const char *fmt, va_list ap) FMT_CHECK(3, 0);
size_t fmt_snprint(char *buf, size_t size, const char *fmt, ...) FMT_CHECK(3, 4);

/* To a file descriptor; up to 512 bytes of text arrive there in a single write(2). */
void fmt_vprint(int fd, const char *fmt, va_list ap) FMT_CHECK(2, 0);
void fmt_print(int fd, const char *fmt, ...) FMT_CHECK(2, 3);

/* All of @text, through interrupted and short writes; other errors drop the rest. */
void fmt_write(int fd, const char *text, size_t len);

/* A size for people, as in fmt_print(2, "%s live\n", fmt_size(bytes).text): "512 B", "12.3 MiB". */
struct fmt_size {
	char text[16];
};

struct fmt_size fmt_size(uint64_t bytes);

#endif
