/* SPDX-License-Identifier: MIT */
/*
 * main.c of kmalloc-bench-work: runs one workload in this process and reports to the driver.
 *
 *	kmalloc-bench-work [-t threads] [-s scale] [-r seed] [-i idle-seconds] [-f fd]
 *			   [-m] [-T trace] WORKLOAD
 *	kmalloc-bench-work list
 *
 * The driver starts it with the allocator in LD_PRELOAD. It prints lines of "key values":
 *	bound FUNCTION LIBRARY		which library serves the function
 *	load, idle			phases, for the driver's memory time line
 *	held LIVE RSS DIRTY LAZY HUGE	KiB, from a workload that knows its live bytes (-m)
 *	time WALL CPU OPS		nanoseconds over all slices, operations done
 *	slice MEDIAN MIN		nanoseconds per operation of the median and fastest slice
 *	faults MINOR MAJOR, switches VOLUNTARY INVOLUNTARY	over all slices
 *	peak KIB, live BYTES, value V	as far as known
 *	lat CALL MAX INDEX:COUNT …	latency histograms (the latency twin only)
 *	fail TEXT, skip TEXT, ok	how it ended; nothing of these = it died
 * The timed part is the slices alone: set-up, verification at the end and process start are not in
 * it. The median over slices is what a micro benchmark quotes: a slice during which somebody else
 * had the processor does not spoil it.
 */
#include "worker/worker.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "worker/binding.h"

enum { MAX_SLICES = 256 };

struct totals {
	uint64_t wall, cpu, ops;
	double per_op[MAX_SLICES];
	unsigned slices;
	struct rusage before, after;
};

static const struct workload *find_workload(const char *name)
{
	for (size_t i = 0; i < n_workloads; i++)
		if (!strcmp(workloads[i]->name, name))
			return workloads[i];
	return NULL;
}

static int list_workloads(void)
{
	for (size_t i = 0; i < n_workloads; i++) {
		const struct workload *w = workloads[i];

		if (!strcmp(w->family, "hidden"))
			continue;
		say("%s\t%s\t%s\t%u\t%s", w->name, w->family, w->unit, w->flags, w->what);
	}
	return 0;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

/* This process and the children it has waited for (the start-up workload is all children). */
static uint64_t cpu_ns(void)
{
	struct timespec t;
	struct rusage children;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	getrusage(RUSAGE_CHILDREN, &children);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec +
	       timeval_ns(children.ru_utime) + timeval_ns(children.ru_stime);
}

static void run_slice(const struct workload *w, struct run *run, struct totals *t)
{
	uint64_t cpu = cpu_ns(), wall = work_ns(), ops = w->slice(run);

	wall = work_ns() - wall;
	t->cpu += cpu_ns() - cpu;
	t->wall += wall;
	t->ops += ops;
	t->per_op[t->slices++] = (double)wall / (double)(ops ? ops : 1);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* qsort() of so few elements works on the stack: it does not allocate. */
static void say_totals(struct totals *t)
{
	qsort(t->per_op, t->slices, sizeof(t->per_op[0]), by_value);
	say("time %llu %llu %llu", (unsigned long long)t->wall, (unsigned long long)t->cpu,
	    (unsigned long long)t->ops);
	say("slice %.4f %.4f", t->per_op[t->slices / 2], t->per_op[0]);
	say("faults %ld %ld", t->after.ru_minflt - t->before.ru_minflt,
	    t->after.ru_majflt - t->before.ru_majflt);
	say("switches %ld %ld", t->after.ru_nvcsw - t->before.ru_nvcsw,
	    t->after.ru_nivcsw - t->before.ru_nivcsw);
}

/* Live bytes against memory held is a line from the first call to the last: once is enough. */
static unsigned slices_of(const struct workload *w, const struct run *run)
{
	if (run->observe && run->trace)
		return 1;
	return w->slices < MAX_SLICES ? w->slices : MAX_SLICES;
}

static void measure(const struct workload *w, struct run *run, double idle)
{
	static struct totals t;

	if (w->setup)
		w->setup(run);
	latency_start();
	say("load");
	getrusage(RUSAGE_SELF, &t.before);
	for (unsigned i = 0; i < slices_of(w, run); i++)
		run_slice(w, run, &t);
	getrusage(RUSAGE_SELF, &t.after);
	latency_say();
	if (w->teardown)
		w->teardown(run);
	say("peak %ld", work_proc_kib("/proc/self/status", "VmHWM:"));
	if (idle > 0) {
		say("idle");
		usleep((useconds_t)(idle * 1e6));
	}
	say_totals(&t);
	if (run->live)
		say("live %llu", (unsigned long long)run->live);
	if (w->flags & W_VALUE)
		say("value %.3f", run->value);
	say("ok");
}

static void say_binding(const char *function, const char *library)
{
	say("bound %s %s", function, library);
}

int main(int argc, char **argv)
{
	struct run run = { .threads = 2, .scale = 1, .seed = 1 };
	const struct workload *w;
	double idle = 0;
	int c;

	while ((c = getopt(argc, argv, "t:s:r:i:f:mT:")) != -1) {
		switch (c) {
		case 't': run.threads = (unsigned)atoi(optarg); break;
		case 's': run.scale = atof(optarg); break;
		case 'r': run.seed = strtoull(optarg, NULL, 10); break;
		case 'i': idle = atof(optarg); break;
		case 'f': say_to(atoi(optarg)); break;
		case 'm': run.observe = 1; break;
		case 'T': run.trace = optarg; break;
		default: return 2;
		}
	}
	if (optind + 1 != argc)
		return 2;
	if (!strcmp(argv[optind], "list"))
		return list_workloads();
	w = find_workload(argv[optind]);
	if (!w)
		work_fail("no workload of this name");
	binding_each(say_binding);
	measure(w, &run, idle);
	return 0;
}
