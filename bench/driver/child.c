/* SPDX-License-Identifier: MIT */
/*
 * child.c: one run of one cell in a child process.
 *
 * The driver itself runs on the C library's malloc; only the child gets LD_PRELOAD. The child is a
 * process group of its own, so that a timeout ends its helpers too. It reports on a pipe (protocol:
 * worker/main.c); while that is open the driver polls it, samples memory where asked, and watches
 * the clock. A run counts only if it ended with "ok", status 0, and proof that the functions of
 * the malloc family came from the intended library: everything else is a failure with a reason.
 */
#include "driver/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver/allocators.h"
#include "driver/command.h"
#include "driver/memory.h"
#include "driver/util.h"

enum { LINE_SIZE = 1024, LOOK_MS = 200 };

struct child {
	struct cell *cell;
	const struct child_options *options;
	struct sample *sample;
	pid_t pid;
	int in;			/* read end of the report pipe */
	int log;		/* the child's stderr, a memfd */
	double begun;
	bool ok, bound, timed_out;
	char line[LINE_SIZE];
	size_t n;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

void child_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

bool child_interrupted(void)
{
	return interrupted;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(struct child *c, enum outcome outcome, const char *why)
{
	if (c->sample->outcome != RUN_OK)
		return;		/* the first reason is the true one */
	c->sample->outcome = outcome;
	snprintf(c->sample->why, WHY_SIZE, "%s", why);
}

static void on_bound(struct child *c, const char *text)
{
	char function[64], library[LINE_SIZE], why[WHY_SIZE];
	static const char *const needed[] = { "malloc", "free", "calloc", "realloc" };

	if (sscanf(text, "%63s %1023s", function, library) != 2)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (strcmp(function, needed[i]))
			continue;
		if (!allocator_is(c->cell->allocator, library)) {
			snprintf(why, sizeof(why), "%s is bound to %.100s", function, library);
			fail(c, RUN_UNBOUND, why);
		}
		c->bound = true;
	}
}

/* "CALL MAX INDEX:COUNT INDEX:COUNT …" */
static void on_latency(struct child *c, char *text)
{
	char *call = strsep(&text, " "), *max = strsep(&text, " "), *item;
	struct hist **h = NULL;

	for (int i = 0; i < LATENCY_CALLS; i++)
		if (!strcmp(call, latency_name[i]))
			h = &c->cell->latency[i];
	if (!h || !max)
		return;
	if (!*h)
		*h = xcalloc(1, sizeof(**h));
	while ((item = strsep(&text, " "))) {
		unsigned index;
		unsigned long long count;

		if (sscanf(item, "%u:%llu", &index, &count) == 2 && index < HIST_BUCKETS) {
			(*h)->count[index] += count;
			(*h)->total += count;
		}
	}
	if (strtoull(max, NULL, 10) > (*h)->max)
		(*h)->max = strtoull(max, NULL, 10);
}

static void on_numbers(struct sample *s, const char *key, const char *text)
{
	double v[3] = { 0, 0, 0 };

	sscanf(text, "%lf %lf %lf", &v[0], &v[1], &v[2]);
	if (!strcmp(key, "time")) {
		s->work_wall = v[0] * 1e-9;
		s->work_cpu = v[1] * 1e-9;
		s->ops = v[2];
	} else if (!strcmp(key, "slice")) {
		s->op_ns = v[0];
		s->op_min_ns = v[1];
	} else if (!strcmp(key, "faults")) {
		s->minflt = v[0];
		s->majflt = v[1];
	} else if (!strcmp(key, "switches")) {
		s->nvcsw = v[0];
		s->nivcsw = v[1];
	} else if (!strcmp(key, "peak")) {
		s->peak = v[0] > s->peak ? v[0] : s->peak;
	} else if (!strcmp(key, "live")) {
		s->live = v[0];
	} else if (!strcmp(key, "value")) {
		s->value = v[0];
	}
}

/* "LIVE RSS DIRTY LAZY HUGE": a workload that knows its live bytes takes its own samples. */
static void on_held(struct child *c, const char *text)
{
	struct point p = { .t = now() - c->begun };

	if (sscanf(text, "%lf %lf %lf %lf %lf", &p.live, &p.rss, &p.dirty, &p.lazy, &p.huge) == 5)
		memory_add(&c->cell->memory, &p);
}

/* Between "load" and "idle" a replayed trace samples itself. */
static bool samples_itself(const struct child *c)
{
	return c->cell->task->flags & T_TRACE && c->cell->memory.load > 0 &&
	       c->cell->memory.idle < 0;
}

static void on_line(struct child *c, char *line)
{
	char *text = line, *key = strsep(&text, " ");

	if (!text)
		text = line + strlen(line);
	if (!strcmp(key, "ok"))
		c->ok = true;
	else if (!strcmp(key, "bound"))
		on_bound(c, text);
	else if (!strcmp(key, "held"))
		on_held(c, text);
	else if (!strcmp(key, "lat"))
		on_latency(c, text);
	else if (!strcmp(key, "fail"))
		fail(c, RUN_WRONG, text);
	else if (!strcmp(key, "skip"))
		fail(c, RUN_SKIP, text);
	else if (!strcmp(key, "load"))
		c->cell->memory.load = now() - c->begun;
	else if (!strcmp(key, "idle"))
		c->cell->memory.idle = now() - c->begun;
	else
		on_numbers(c->sample, key, text);
}

/* Reads what is there; false at end of file. */
static bool read_report(struct child *c)
{
	ssize_t got = read(c->in, c->line + c->n, LINE_SIZE - 1 - c->n);
	char *newline;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	c->n += (size_t)got;
	c->line[c->n] = 0;
	while ((newline = strchr(c->line, '\n'))) {
		size_t used = (size_t)(newline - c->line) + 1;

		*newline = 0;
		on_line(c, c->line);
		c->n -= used;
		memmove(c->line, c->line + used, c->n + 1);
	}
	if (c->n >= LINE_SIZE - 1)
		c->n = 0;
	return true;
}

static void become_child(struct child *c, int out)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(c->log, 2);
	dup2(c->log, 1);
	dup2(out, COMMAND_FD);
	command_exec(c->cell, c->options);
	_exit(127);
}

static void start(struct child *c)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		fatal("pipe: %s", strerror(errno));
	c->in = fds[0];
	c->log = memfd_create("stderr", MFD_CLOEXEC);
	c->begun = now();
	c->pid = fork();
	if (c->pid < 0)
		fatal("fork: %s", strerror(errno));
	if (c->pid == 0)
		become_child(c, fds[1]);
	setpgid(c->pid, c->pid);
	close(fds[1]);
}

/* How long to wait for the child to say something: until the next thing to do, or to look. */
static int wait_ms(const struct child *c, double next_sample)
{
	double left = c->begun + c->options->timeout - now(), sample = next_sample - now();

	if (c->options->kind == CHILD_MEMORY && sample < left)
		left = sample;
	if (left < 0)
		return 0;
	return left * 1e3 < LOOK_MS ? (int)(left * 1e3) + 1 : LOOK_MS;
}

static bool has_exited(const struct child *c)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == c->pid;
}

static bool must_end(const struct child *c)
{
	return interrupted || now() - c->begun > c->options->timeout;
}

/* A helper that a program left behind may hold the pipe open: then nothing more will come. */
static void watch(struct child *c)
{
	double next = c->begun;
	bool open = true;

	while (open && !c->timed_out) {
		struct pollfd p = { .fd = c->in, .events = POLLIN };
		int ready = poll(&p, 1, wait_ms(c, next));

		if (ready > 0)
			open = read_report(c);
		else if (has_exited(c))
			open = false;
		if (c->options->kind == CHILD_MEMORY && now() >= next) {
			if (!samples_itself(c))
				memory_sample(&c->cell->memory, c->pid, now() - c->begun);
			next = now() + c->options->interval;
		}
		c->timed_out = must_end(c);
	}
}

/* Waits for the child; one that closed the pipe early still has until the timeout. */
static int reap(struct child *c, struct rusage *usage)
{
	int status = 0;

	while (!c->timed_out && wait4(c->pid, &status, WNOHANG, usage) == 0) {
		usleep(200);
		c->timed_out = must_end(c);
	}
	if (!c->timed_out)
		return status;
	kill(-c->pid, SIGKILL);
	while (wait4(c->pid, &status, 0, usage) < 0 && errno == EINTR)
		;
	return status;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void take_usage(struct child *c, const struct rusage *u)
{
	struct sample *s = c->sample;

	s->user = seconds(u->ru_utime);
	s->sys = seconds(u->ru_stime);
	if (!(c->cell->task->flags & T_PROGRAM))
		return;
	s->minflt = (double)u->ru_minflt;
	s->majflt = (double)u->ru_majflt;
	s->nvcsw = (double)u->ru_nvcsw;
	s->nivcsw = (double)u->ru_nivcsw;
	if (s->peak == 0)	/* it never reported: killed, or left by _exit() */
		s->peak = (double)u->ru_maxrss;
	if (s->work_cpu == 0)
		s->work_cpu = s->user + s->sys;
	if (s->work_wall == 0)
		s->work_wall = s->wall;
}

/* The last line that the child wrote to stderr, as a hint at why it ended badly. */
static void log_tail(const struct child *c, char *tail, size_t size)
{
	char text[4096], *start;
	off_t end = lseek(c->log, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(text) - 1 ? end - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(c->log, text, sizeof(text) - 1, from);

	if (n < 0)
		n = 0;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = 0;
	start = strrchr(text, '\n');
	snprintf(tail, size, "%.100s", start ? start + 1 : text);
}

static void judge(struct child *c, int status)
{
	char tail[128], why[WHY_SIZE];

	log_tail(c, tail, sizeof(tail));
	if (c->timed_out) {
		snprintf(why, sizeof(why), "after %g s", c->options->timeout);
		fail(c, RUN_TIMEOUT, why);
	} else if (WIFSIGNALED(status)) {
		snprintf(why, sizeof(why), "%s: %s", strsignal(WTERMSIG(status)), tail);
		fail(c, RUN_CRASH, why);
	} else if (WEXITSTATUS(status) || !c->ok) {
		snprintf(why, sizeof(why), "exit %d: %s", WEXITSTATUS(status), tail);
		fail(c, RUN_CRASH, why);
	} else if (!c->bound) {
		fail(c, RUN_UNBOUND, "no proof of binding was reported");
	}
}

static void reset(struct child *c)
{
	memset(c->sample, 0, sizeof(*c->sample));
	if (c->options->kind != CHILD_MEMORY)
		return;
	free(c->cell->memory.point);
	memset(&c->cell->memory, 0, sizeof(c->cell->memory));
	c->cell->memory.idle = -1;
}

void child_run(struct cell *cell, const struct child_options *o, struct sample *sample)
{
	struct child c = { .cell = cell, .options = o, .sample = sample };
	struct rusage usage = { 0 };
	int status;

	reset(&c);
	start(&c);
	watch(&c);
	status = reap(&c, &usage);
	sample->wall = now() - c.begun;
	kill(-c.pid, SIGKILL);	/* helpers that a program left behind */
	take_usage(&c, &usage);
	judge(&c, status);
	if (o->kind == CHILD_MEMORY)
		memory_finish(&cell->memory);
	close(c.in);
	close(c.log);
}
