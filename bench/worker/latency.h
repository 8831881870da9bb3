/* SPDX-License-Identifier: MIT */
/*
 * latency.h: put in front of every workload of kmalloc-bench-latency (gcc -include): each call of
 * the malloc family is timed and counted in a histogram of its thread. The throughput worker is
 * compiled from the same sources without it, so that timing never disturbs throughput.
 */
#ifndef KB_LATENCY_H
#define KB_LATENCY_H

#include <stddef.h>
#include <stdlib.h>

void *latency_malloc(size_t size);
void *latency_calloc(size_t n, size_t size);
void *latency_realloc(void *p, size_t size);
int latency_posix_memalign(void **p, size_t align, size_t size);
void latency_free(void *p);

#define malloc(n)			latency_malloc(n)
#define calloc(n, s)			latency_calloc(n, s)
#define realloc(p, n)			latency_realloc(p, n)
#define posix_memalign(p, a, n)		latency_posix_memalign(p, a, n)
#define free(p)				latency_free(p)

#endif
