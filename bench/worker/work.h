/* SPDX-License-Identifier: MIT */
/*
 * work.h: what a workload is, and what the worker gives to it.
 *
 * A workload allocates its own bookkeeping with work_map() (straight from the kernel), so that
 * the allocator under test serves the workload's objects and nothing else. It calls malloc and
 * free by name: in kmalloc-bench-work they are the allocator's, in kmalloc-bench-latency the same
 * sources are compiled with latency.h in front, which times each call.
 */
#ifndef KB_WORK_H
#define KB_WORK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/prng.h"

enum {
	W_QUICK   = 1 << 0,	/* part of the --quick set */
	W_THREADS = 1 << 1,	/* uses run->threads threads */
	W_VALUE   = 1 << 2,	/* the result is run->value, not a time */
	W_NOLAT   = 1 << 3,	/* single-call latency means nothing here */
	W_WALL    = 1 << 5,	/* time is wall time: helpers of the workload burn processor time */
	W_IDLE    = 1 << 4,	/* memory after the load is worth ten seconds of waiting */
};

struct run {
	unsigned threads;
	double scale;		/* 1.0 = the full amount of work */
	uint64_t seed;
	uint64_t live;		/* most bytes requested and not freed, when the workload knows */
	double value;		/* result of a W_VALUE workload */
	const char *trace;	/* file for the replay workload */
	int observe;		/* nonzero: the memory pass, work_observe() is wanted */
	void *state;		/* the workload's own */
};

struct workload {
	const char *name;
	const char *family;	/* micro, standard, gap */
	const char *unit;	/* what one operation is */
	unsigned flags;
	unsigned slices;	/* timed repetitions of slice() in one process */
	const char *what;	/* one line for `kmalloc-bench list` */
	void (*setup)(struct run *run);
	uint64_t (*slice)(struct run *run);	/* returns the operations done */
	void (*teardown)(struct run *run);
};

/* Zeroed memory from the kernel; never returns NULL. */
void *work_map(size_t bytes);
void work_unmap(void *p, size_t bytes);

/* The amount of work: n at scale 1, at least least. */
size_t work_count(const struct run *run, size_t n, size_t least);

/* End this run as failed (a wrong result) or as not applicable. */
void work_fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void work_skip(const char *why) __attribute__((noreturn));

/* fn(run, 0 … threads-1, arg), each on a thread of its own, all started together. */
typedef void work_fn(struct run *run, unsigned thread, void *arg);
void work_parallel(struct run *run, unsigned threads, work_fn *fn, void *arg);

/* A field of /proc/self/smaps_rollup or status, in KiB; -1 if absent. Does not allocate. */
long work_proc_kib(const char *file, const char *field);

/* Tells the driver how many bytes are live now, together with the memory that is held. */
void work_observe(uint64_t live);

uint64_t work_ns(void);

/* A function that only some allocators have (kmem_cache_create …); NULL if absent. */
typedef void work_symbol_fn(void);
work_symbol_fn *work_symbol(const char *name);

#endif
