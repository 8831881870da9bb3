/* SPDX-License-Identifier: MIT */
/*
 * hist.c: the slow half of the log-linear histogram: bucket limits, merging, quantiles.
 *
 * A quantile is the upper limit of the bucket that holds it, never above the largest value seen:
 * a latency is reported too long by at most one bucket width (3.1 %), never too short.
 */
#include "common/hist.h"

#include <math.h>

uint64_t hist_low(unsigned index)
{
	unsigned shift = index / HIST_SUB;

	if (shift == 0)
		return index;
	return (uint64_t)(HIST_SUB + index % HIST_SUB) << (shift - 1);
}

uint64_t hist_high(unsigned index)
{
	unsigned shift = index / HIST_SUB;

	if (shift == 0)
		return index;
	return hist_low(index) + ((UINT64_C(1) << (shift - 1)) - 1);
}

void hist_merge(struct hist *into, const struct hist *from)
{
	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		into->count[i] += from->count[i];
	into->total += from->total;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)h->total), seen = 0;

	if (h->total == 0)
		return 0;
	if (rank < 1)
		rank = 1;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += h->count[i];
		if (seen >= rank)
			return hist_high(i) < h->max ? hist_high(i) : h->max;
	}
	return h->max;
}
