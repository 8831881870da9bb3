/* SPDX-License-Identifier: MIT */
/* stats.h: robust statistics of few samples. */
#ifndef KB_STATS_H
#define KB_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
	double value, low, high;
};

double stats_median(const double *v, size_t n);
/* Median absolute deviation, scaled to estimate a standard deviation of normal data. */
double stats_spread(const double *v, size_t n);
double stats_geomean(const double *v, size_t n);
/*
 * The ratio median(a) / median(b) with its 95 % confidence interval. a[i] and b[i] were taken in
 * the same round: rounds are resampled as pairs, so that drift of the machine cancels.
 */
struct interval stats_ratio(const double *a, const double *b, size_t n, uint64_t seed);
/* The interval of a ratio lies wholly on one side of 1, and by more than the margin. */
bool stats_differs(const struct interval *ratio, double margin);

#endif
