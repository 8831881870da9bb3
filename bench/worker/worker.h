/* SPDX-License-Identifier: MIT */
/* worker.h: the parts of the worker that are not for workloads. */
#ifndef KB_WORKER_H
#define KB_WORKER_H

#include "worker/work.h"

extern const struct workload *const workloads[];
extern const size_t n_workloads;

/* One line "key text" to the driver; formatted on the stack, written with one write(2). */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_to(int fd);

/* latency.c or latency-none.c: start collecting, and print the histograms. */
void latency_start(void);
void latency_say(void);

#endif
