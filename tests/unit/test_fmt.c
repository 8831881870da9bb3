/* SPDX-License-Identifier: MIT */
/*
 * The formatter: every supported conversion against the C library's snprintf over random cases,
 * truncation, unsupported conversions, the buffered writer, file descriptors, sizes for people.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fmt.h"

/* The formats are made at run time. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

static uint64_t random_state = 88172645463325252u;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Numbers of all magnitudes, and the limits more often than chance would have it. */
static uint64_t random_number(void)
{
	static const uint64_t special[] = {
		0, 1, 9, 10, 15, 16, INT_MAX, (uint64_t)INT_MIN, UINT_MAX, LONG_MAX,
		(uint64_t)LONG_MIN, UINT64_MAX, (uint64_t)-1, (uint64_t)-10,
	};

	if (random64() % 4 == 0)
		return special[random64() % (sizeof(special) / sizeof(special[0]))];
	return random64() >> (random64() % 64);
}

#define EXPECT_SAME(format, ...) do {							\
	const char *f_ = (format);							\
	char ours[256], theirs[256];							\
	size_t got = fmt_snprint(ours, sizeof(ours), f_, __VA_ARGS__);			\
	int want = snprintf(theirs, sizeof(theirs), f_, __VA_ARGS__);			\
	cr_assert_str_eq(ours, theirs, "format \"%s\"", f_);				\
	cr_assert(got == (size_t)want, "format \"%s\"", f_);				\
} while (0)

/* "x %-08.3s y" and the like, with the flags that make sense for the letter. */
static const char *random_format(char *buf, size_t size, const char *length, char letter)
{
	static const char *const flags[] = { "", "", "-", "0" };
	const char *flag = flags[random64() % (letter == 's' || letter == 'c' ||
					       letter == 'p' ? 3 : 4)];
	char width[8] = "", precision[8] = "";

	if (random64() % 2 || *flag)
		snprintf(width, sizeof(width), "%u", (unsigned int)(1 + random64() % 40));
	if (letter == 's' && random64() % 2)
		snprintf(precision, sizeof(precision), ".%u", (unsigned int)(random64() % 12));
	snprintf(buf, size, "a%%%s%s%s%s%c%%%%z", flag, width, precision, length, letter);
	return buf;
}

Test(fmt, numbers_agree_with_snprintf)
{
	static const char letters[] = "diux";
	char format[48];

	for (int i = 0; i < 20000; i++) {
		char letter = letters[i % 4];
		uint64_t value = random_number();

		EXPECT_SAME(random_format(format, sizeof(format), "", letter), (int)value);
		EXPECT_SAME(random_format(format, sizeof(format), "l", letter), (long)value);
		EXPECT_SAME(random_format(format, sizeof(format), "ll", letter), (long long)value);
		EXPECT_SAME(random_format(format, sizeof(format), "z", letter), (size_t)value);
	}
}

Test(fmt, strings_and_characters_agree_with_snprintf)
{
	static const char *const words[] = { "", "a", "slab", "kmalloc-192", "%d %s" };
	char format[48];

	for (int i = 0; i < 20000; i++) {
		const char *word = words[random64() % 5];

		EXPECT_SAME(random_format(format, sizeof(format), "", 's'), word);
		EXPECT_SAME(random_format(format, sizeof(format), "", 'c'), 'a' + i % 26);
	}
}

Test(fmt, pointers_agree_with_snprintf)
{
	char format[48];

	for (int i = 0; i < 5000; i++) {
		void *pointer = (void *)(uintptr_t)(random_number() | 1);

		EXPECT_SAME(random_format(format, sizeof(format), "", 'p'), pointer);
	}
}

Test(fmt, null_arguments)
{
	const char *volatile format = "<%s>";	/* volatile: compilers warn of what is tested */
	char buf[32];

	fmt_snprint(buf, sizeof(buf), "%p", NULL);
	cr_assert_str_eq(buf, "0x0");
	fmt_snprint(buf, sizeof(buf), format, (char *)NULL);
	cr_assert_str_eq(buf, "<(null)>");
}

Test(fmt, stars_and_several_arguments)
{
	EXPECT_SAME("%*d|%-*d|%.*s|%*s", 7, 1, 7, 2, 2, "slab", -6, "x");
	EXPECT_SAME("%.*s|%.*s", -1, "all of it", 0, "nothing");
	EXPECT_SAME("%s %zu %lx %c %d %s", "a", (size_t)1, 2ul, 'c', -4, "e");
}

/* A slice need not end in a NUL: nothing beyond the precision may be read. */
Test(fmt, precision_bounds_reading)
{
	char *page_end = malloc(4);
	char buf[16];

	memcpy(page_end, "abcd", 4);
	fmt_snprint(buf, sizeof(buf), "%.*s", 4, page_end);
	cr_assert_str_eq(buf, "abcd");
	free(page_end);
}

Test(fmt, truncation)
{
	char buf[8];

	for (size_t size = 1; size <= sizeof(buf); size++) {
		memset(buf, '#', sizeof(buf));
		cr_assert(fmt_snprint(buf, size, "%s", "abcdefghij") == size - 1);
		cr_assert(strncmp(buf, "abcdefghij", size - 1) == 0 && buf[size - 1] == '\0');
		cr_assert(size == sizeof(buf) || buf[size] == '#', "wrote behind the buffer");
	}
	buf[0] = '#';
	cr_assert(fmt_snprint(buf, 0, "abc") == 0);
	cr_assert(buf[0] == '#');
}

/* The rest is copied, because from there on arguments and conversions no longer match. */
Test(fmt, unsupported_conversions_are_copied)
{
	static const char *const formats[] = {
		"%f %d", "%", "%l", "%5", "%.3d", "%+d", "%#x", "%hd", "%n", "%lld%q", "%-", "%.",
	};
	char buf[64], want[64];

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		const char *format = formats[i];
		const char *rest = format;

		if (strncmp(format, "%lld", 4) == 0)
			rest = format + 4;
		snprintf(want, sizeof(want), "%s%s", rest == format ? "" : "7", rest);
		fmt_snprint(buf, sizeof(buf), format, 7ll);
		cr_expect_str_eq(buf, want, "format \"%s\"", format);
	}
}

Test(fmt, huge_width_is_harmless)
{
	const char *volatile format = "%99999999999d";
	char buf[16];

	cr_assert(fmt_snprint(buf, sizeof(buf), format, 1) == 15);
	cr_assert(fmt_snprint(buf, sizeof(buf), "%*d", INT_MIN + 1, 1) == 15);
}

struct collected {
	char text[4096];
	size_t used;
	unsigned int calls;
};

static void collect(void *to, const char *text, size_t len)
{
	struct collected *all = to;

	memcpy(all->text + all->used, text, len);
	all->used += len;
	all->text[all->used] = '\0';
	all->calls++;
}

Test(fmt, writer_splits_at_every_buffer_size)
{
	for (size_t size = 1; size <= 64; size++) {
		static struct collected all;
		char buf[64], want[256];
		struct fmt_out out;

		memset(&all, 0, sizeof(all));
		fmt_out_init(&out, buf, size, collect, &all);
		fmt_out_printf(&out, "%s-%08x-", "a rather long piece of text", 0xabcu);
		fmt_out_printf(&out, "%20d", -42);
		fmt_out_flush(&out);
		fmt_out_flush(&out);
		snprintf(want, sizeof(want), "%s-%08x-%20d", "a rather long piece of text", 0xabcu,
			 -42);
		cr_assert_str_eq(all.text, want, "buffer of %zu", size);
		cr_assert(all.calls == (strlen(want) + size - 1) / size);
	}
}

Test(fmt, a_line_is_one_write)
{
	char word[400], buf[512];
	int fds[2];

	/* In packet mode a pipe keeps the boundaries of writes. */
	cr_assert(pipe2(fds, O_DIRECT) == 0);
	memset(word, 'w', sizeof(word));
	errno = 4711;
	fmt_print(fds[1], "%.*s %d\n", (int)sizeof(word), word, 5);
	cr_assert(errno == 4711);
	cr_assert(read(fds[0], buf, sizeof(buf)) == sizeof(word) + 3);
	cr_assert(memcmp(buf + sizeof(word), " 5\n", 3) == 0);
}

Test(fmt, errors_keep_errno_and_end)
{
	errno = 4711;
	fmt_print(-1, "nobody reads this\n");
	cr_assert(errno == 4711);
}

static void ignore(int signal)
{
	(void)signal;
}

/* Signals without SA_RESTART every millisecond: writes of a full pipe end early or not at all. */
static void interrupt_often(void)
{
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction action = { .sa_handler = ignore };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

Test(fmt, interrupted_writes_are_continued, .timeout = 20)
{
	enum { LINES = 20000 };
	int fds[2], status;
	pid_t child;

	cr_assert(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		static char text[LINES * 8 + 16];

		close(fds[0]);
		interrupt_often();
		for (int i = 0; i < LINES; i++)
			sprintf(text + i * 8, "%07d\n", i);
		fmt_write(fds[1], text, LINES * 8);
		_exit(0);
	}
	close(fds[1]);
	FILE *in = fdopen(fds[0], "r");
	int value, expected = 0;

	while (fscanf(in, "%d", &value) == 1) {
		if (value % 500 == 0)
			usleep(3000);
		cr_assert(value == expected++);
	}
	cr_assert(expected == LINES);
	cr_assert(waitpid(child, &status, 0) == child && status == 0);
	fclose(in);
}

Test(fmt, sizes_for_people)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" }, { 1, "1 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" }, { 12900000, "12.3 MiB" }, { 1048575, "1.0 MiB" },
		{ 1048576 - 52, "1023.9 KiB" }, { 1048576 - 51, "1.0 MiB" },
		{ UINT64_C(1) << 30, "1.0 GiB" }, { UINT64_C(5) << 39, "2.5 TiB" },
		{ UINT64_C(1) << 50, "1.0 PiB" }, { UINT64_C(1) << 60, "1.0 EiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(fmt_size(cases[i].bytes).text, cases[i].text);
}

Test(fmt, sizes_for_people_agree_with_floating_point)
{
	for (int i = 0; i < 20000; i++) {
		uint64_t bytes = random_number();
		char unit;
		double value;

		if (bytes < 1024)
			continue;
		cr_assert(sscanf(fmt_size(bytes).text, "%lf %ciB", &value, &unit) == 2);
		for (const char *u = "KMGTPE"; ; u++) {
			value *= 1024;
			if (*u == unit)
				break;
		}
		cr_assert(value / (double)bytes > 0.949 && value / (double)bytes < 1.051,
			  "%s for %llu", fmt_size(bytes).text, (unsigned long long)bytes);
	}
}
