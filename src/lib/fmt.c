/* SPDX-License-Identifier: MIT */
/*
 * Formatted text without stdio. The allocator reports corruption, options and statistics at
 * moments when printf could call back into malloc or wait for a lock that the same thread holds,
 * so all text of the library is made here, in buffers on the stack, and leaves through write(2).
 *
 * One engine serves every entry point: out_format() walks the format and puts single characters
 * into a struct fmt_out. Locks: none. State: none beyond the caller's fmt_out.
 */
#include "lib/fmt.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINE_SIZE = 512 };

/* One conversion of a format, between its '%' and its letter. */
struct spec {
	bool left;
	bool zero;
	int width;
	int precision;		/* -1: none */
	int longs;		/* 'l' counts one each, 'z' one */
	char letter;
};

/* syscall(2) rather than write(3): the latter is a cancellation point and may be wrapped. */
void fmt_write(int fd, const char *text, size_t len)
{
	int saved = errno;

	while (len) {
		long done = syscall(SYS_write, fd, text, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		text += done;
		len -= (size_t)done;
	}
	errno = saved;
}

static void sink_fd(void *to, const char *text, size_t len)
{
	fmt_write((int)(intptr_t)to, text, len);
}

/* @size must be at least 1 if there is a sink. */
void fmt_out_init(struct fmt_out *out, char *buf, size_t size, fmt_sink sink, void *to)
{
	*out = (struct fmt_out){ .buf = buf, .size = size, .sink = sink, .to = to };
}

void fmt_out_fd(struct fmt_out *out, char *buf, size_t size, int fd)
{
	fmt_out_init(out, buf, size, sink_fd, (void *)(intptr_t)fd);
}

void fmt_out_flush(struct fmt_out *out)
{
	if (!out->sink || !out->used)
		return;
	out->sink(out->to, out->buf, out->used);
	out->used = 0;
}

static void out_char(struct fmt_out *out, char c)
{
	if (out->used == out->size)
		fmt_out_flush(out);
	if (out->used < out->size)
		out->buf[out->used++] = c;
}

static void out_text(struct fmt_out *out, const char *text, size_t len)
{
	while (len--)
		out_char(out, *text++);
}

static void out_fill(struct fmt_out *out, char c, size_t count)
{
	while (count--)
		out_char(out, c);
}

/* @prefix (a sign or "0x") stands before padding zeros but after padding blanks. */
static void out_padded(struct fmt_out *out, const struct spec *spec, const char *prefix,
		       const char *text, size_t len)
{
	size_t prefix_len = strlen(prefix);
	size_t width = (size_t)spec->width;
	size_t pad = width > prefix_len + len ? width - prefix_len - len : 0;

	if (!spec->left && !spec->zero)
		out_fill(out, ' ', pad);
	out_text(out, prefix, prefix_len);
	if (!spec->left && spec->zero)
		out_fill(out, '0', pad);
	out_text(out, text, len);
	if (spec->left)
		out_fill(out, ' ', pad);
}

static void out_number(struct fmt_out *out, const struct spec *spec, const char *prefix,
		       unsigned long long value, unsigned int base)
{
	char digits[24];
	char *at = digits + sizeof(digits);

	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	out_padded(out, spec, prefix, at, (size_t)(digits + sizeof(digits) - at));
}

/* A text with a precision need not end in a NUL. */
static size_t text_length(const struct spec *spec, const char *text)
{
	const char *end;

	if (spec->precision < 0)
		return strlen(text);
	end = memchr(text, '\0', (size_t)spec->precision);
	return end ? (size_t)(end - text) : (size_t)spec->precision;
}

static void out_string(struct fmt_out *out, struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	spec->zero = false;
	out_padded(out, spec, "", text, text_length(spec, text));
}

static const char *parse_number(const char *fmt, int *value)
{
	for (*value = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
		*value = *value < 100000 ? *value * 10 + (*fmt - '0') : *value;
	return fmt;
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
	for (;; fmt++) {
		if (*fmt == '-')
			spec->left = true;
		else if (*fmt == '0')
			spec->zero = true;
		else
			return fmt;
	}
}

/* va_list travels in a struct: as a parameter it may decay, and its address could not be taken. */
struct args {
	va_list ap;
};

static const char *parse_width(const char *fmt, struct spec *spec, struct args *args)
{
	if (*fmt != '*')
		return parse_number(fmt, &spec->width);
	spec->width = va_arg(args->ap, int);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = spec->width > -INT_MAX ? -spec->width : INT_MAX;
	}
	return fmt + 1;
}

static const char *parse_precision(const char *fmt, struct spec *spec, struct args *args)
{
	spec->precision = -1;
	if (*fmt != '.')
		return fmt;
	if (fmt[1] != '*')
		return parse_number(fmt + 1, &spec->precision);
	spec->precision = va_arg(args->ap, int);
	return fmt + 2;
}

static const char *parse_spec(const char *fmt, struct spec *spec, struct args *args)
{
	*spec = (struct spec){ 0 };
	fmt = parse_flags(fmt, spec);
	fmt = parse_width(fmt, spec, args);
	fmt = parse_precision(fmt, spec, args);
	if (*fmt == 'z') {
		spec->longs = 1;
		return fmt + 1;
	}
	for (; *fmt == 'l' && spec->longs < 2; fmt++)
		spec->longs++;
	return fmt;
}

static long long next_signed(const struct spec *spec, struct args *args)
{
	switch (spec->longs) {
	case 0:
		return va_arg(args->ap, int);
	case 1:
		return va_arg(args->ap, long);
	default:
		return va_arg(args->ap, long long);
	}
}

static unsigned long long next_unsigned(const struct spec *spec, struct args *args)
{
	switch (spec->longs) {
	case 0:
		return va_arg(args->ap, unsigned int);
	case 1:
		return va_arg(args->ap, unsigned long);
	default:
		return va_arg(args->ap, unsigned long long);
	}
}

static void out_signed(struct fmt_out *out, const struct spec *spec, long long value)
{
	unsigned long long magnitude = (unsigned long long)value;

	if (value < 0)
		out_number(out, spec, "-", 0 - magnitude, 10);
	else
		out_number(out, spec, "", magnitude, 10);
}

/* One conversion; false if it is none of ours. */
static bool out_spec(struct fmt_out *out, struct spec *spec, struct args *args)
{
	switch (spec->letter) {
	case '%':
		out_char(out, '%');
		return true;
	case 'c':
		spec->zero = false;
		out_padded(out, spec, "", &(char){ (char)va_arg(args->ap, int) }, 1);
		return true;
	case 's':
		out_string(out, spec, va_arg(args->ap, const char *));
		return true;
	case 'd':
	case 'i':
		out_signed(out, spec, next_signed(spec, args));
		return true;
	case 'u':
		out_number(out, spec, "", next_unsigned(spec, args), 10);
		return true;
	case 'x':
		out_number(out, spec, "", next_unsigned(spec, args), 16);
		return true;
	case 'p':
		out_number(out, spec, "0x", (uintptr_t)va_arg(args->ap, void *), 16);
		return true;
	default:
		return false;
	}
}

static bool spec_is_known(const struct spec *spec)
{
	static const char letters[] = "%csdiuxp";

	return memchr(letters, spec->letter, sizeof(letters) - 1) &&
	       (spec->precision < 0 || spec->letter == 's');
}

static void out_format(struct fmt_out *out, const char *fmt, struct args *args)
{
	while (*fmt) {
		struct spec spec;
		const char *end;

		if (*fmt != '%') {
			out_char(out, *fmt++);
			continue;
		}
		end = parse_spec(fmt + 1, &spec, args);
		spec.letter = *end;
		if (!spec_is_known(&spec) || !out_spec(out, &spec, args)) {
			out_text(out, fmt, strlen(fmt));
			return;
		}
		fmt = end + 1;
	}
}

void fmt_out_vprintf(struct fmt_out *out, const char *fmt, va_list ap)
{
	struct args args;

	va_copy(args.ap, ap);
	out_format(out, fmt, &args);
	va_end(args.ap);
}

void fmt_out_printf(struct fmt_out *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_out_vprintf(out, fmt, ap);
	va_end(ap);
}

size_t fmt_vsnprint(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct fmt_out out;

	if (!size)
		return 0;
	fmt_out_init(&out, buf, size - 1, NULL, NULL);
	fmt_out_vprintf(&out, fmt, ap);
	buf[out.used] = '\0';
	return out.used;
}

size_t fmt_snprint(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t used;

	va_start(ap, fmt);
	used = fmt_vsnprint(buf, size, fmt, ap);
	va_end(ap);
	return used;
}

void fmt_vprint(int fd, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	struct fmt_out out;

	fmt_out_fd(&out, line, sizeof(line), fd);
	fmt_out_vprintf(&out, fmt, ap);
	fmt_out_flush(&out);
}

void fmt_print(int fd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vprint(fd, fmt, ap);
	va_end(ap);
}

/* @bytes in tenths of 1 << @shift, rounded. */
static uint64_t in_tenths(uint64_t bytes, unsigned int shift)
{
	uint64_t rest = bytes & ((UINT64_C(1) << shift) - 1);

	return (bytes >> shift) * 10 + ((rest * 10 + (UINT64_C(1) << (shift - 1))) >> shift);
}

struct fmt_size fmt_size(uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned int unit = 0;
	struct fmt_size size;
	uint64_t tenths;

	if (bytes < 1024) {
		fmt_snprint(size.text, sizeof(size.text), "%u B", (unsigned int)bytes);
		return size;
	}
	while (bytes >> (10 * unit + 10) >= 1024)
		unit++;
	tenths = in_tenths(bytes, 10 * unit + 10);
	if (tenths >= 10240)	/* 1023.97 KiB reads 1.0 MiB; cannot happen to EiB */
		tenths = in_tenths(bytes, 10 * ++unit + 10);
	fmt_snprint(size.text, sizeof(size.text), "%u.%u %ciB", (unsigned int)(tenths / 10),
		    (unsigned int)(tenths % 10), units[unit]);
	return size;
}
