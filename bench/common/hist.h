/* SPDX-License-Identifier: MIT */
/*
 * hist.h: a log-linear histogram of latencies.
 *
 * Each power of two is divided into HIST_SUB equal steps, so a bucket is never wider than
 * 1/HIST_SUB (3.1 %) of its value, over the whole range of 64 bits, in a fixed table: recording
 * is a shift, two adds and an increment, and histograms of threads are merged by adding.
 * The idea is Gil Tene's HdrHistogram; values below HIST_SUB are exact.
 */
#ifndef KB_HIST_H
#define KB_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS	5
#define HIST_SUB	(1u << HIST_SUB_BITS)
#define HIST_BUCKETS	((64 - HIST_SUB_BITS + 1) * HIST_SUB)

struct hist {
	uint64_t count[HIST_BUCKETS];
	uint64_t total;
	uint64_t max;
};

static inline unsigned hist_index(uint64_t v)
{
	unsigned shift;

	if (v < HIST_SUB)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - HIST_SUB_BITS;
	return (shift + 1) * HIST_SUB + (unsigned)((v >> shift) - HIST_SUB);
}

static inline void hist_add(struct hist *h, uint64_t v)
{
	h->count[hist_index(v)]++;
	h->total++;
	if (v > h->max)
		h->max = v;
}

uint64_t hist_low(unsigned index);
uint64_t hist_high(unsigned index);
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_quantile(const struct hist *h, double q);

#endif
