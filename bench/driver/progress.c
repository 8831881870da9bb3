/* SPDX-License-Identifier: MIT */
/*
 * progress.c: how far we are, on stderr: a bar with the time left on a terminal, and otherwise
 * (a log file) a line for each tenth of the work.
 */
#include "driver/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

static size_t total, done;
static time_t begun;
static bool tty;
static size_t last_tenth;

void progress_begin(size_t n)
{
	total = n ? n : 1;
	done = 0;
	last_tenth = 0;
	begun = time(NULL);
	tty = isatty(2);
}

static unsigned columns(void)
{
	struct winsize w;

	return ioctl(2, TIOCGWINSZ, &w) || w.ws_col == 0 ? 80 : w.ws_col;
}

/* What is left, as if the rest took as long a step as what is done. */
static long seconds_left(void)
{
	long spent = (long)(time(NULL) - begun);

	return done ? spent * (long)(total - done) / (long)done : 0;
}

static void draw_bar(const char *what)
{
	size_t full = done * BAR / total;
	long left = seconds_left();
	int room = (int)columns() - BAR - 22;

	fprintf(stderr, "\r[%.*s%*s] %3zu %%  %ld:%02ld left  %-*.*s", (int)full,
		"########################", (int)(BAR - full), "", done * 100 / total, left / 60,
		left % 60, room, room, what);
	fflush(stderr);
}

static void write_line(const char *what)
{
	size_t tenth = done * 10 / total;

	if (tenth == last_tenth && done)
		return;
	last_tenth = tenth;
	fprintf(stderr, "kmalloc-bench: %zu of %zu runs done, %ld s left, %s\n", done, total,
		seconds_left(), what);
}

void progress_step(const char *fmt, ...)
{
	char what[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (tty)
		draw_bar(what);
	else
		write_line(what);
	done++;
}

void progress_end(void)
{
	if (tty)
		fprintf(stderr, "\r%*s\r", (int)columns() - 1, "");
}
