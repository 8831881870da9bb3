/* SPDX-License-Identifier: MIT */
/*
 * stats.c: robust statistics of few samples.
 *
 * Benchmark times are skewed by whatever else the machine does: medians and median deviations are
 * used throughout, never means. Confidence intervals come from the percentile bootstrap (Efron &
 * Tibshirani 1993, chapter 13): with the five to thirty rounds of a run nothing is known about the
 * distribution, and a ratio of medians has no formula. With n rounds the interval is at best as
 * wide as the samples are scattered; it does not know about machines other than this one.
 */
#include "driver/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/prng.h"
#include "driver/util.h"

enum { RESAMPLES = 2000 };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static double median_in_place(double *v, size_t n)
{
	if (n == 0)
		return NAN;
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double *copy_of(const double *v, size_t n)
{
	double *c = xcalloc(n, sizeof(*c));

	memcpy(c, v, n * sizeof(*c));
	return c;
}

double stats_median(const double *v, size_t n)
{
	double *c = copy_of(v, n), m = median_in_place(c, n);

	free(c);
	return m;
}

double stats_spread(const double *v, size_t n)
{
	double *c = copy_of(v, n), m = median_in_place(c, n), mad;

	for (size_t i = 0; i < n; i++)
		c[i] = fabs(c[i] - m);
	mad = median_in_place(c, n);
	free(c);
	return 1.4826 * mad;
}

double stats_geomean(const double *v, size_t n)
{
	double sum = 0;

	if (n == 0)
		return NAN;
	for (size_t i = 0; i < n; i++)
		sum += log(v[i]);
	return exp(sum / (double)n);
}

static double resampled_ratio(const double *a, const double *b, double *ra, double *rb, size_t n,
			      struct prng *r)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t k = prng_below(r, (uint32_t)n);

		ra[i] = a[k];
		rb[i] = b[k];
	}
	return median_in_place(ra, n) / median_in_place(rb, n);
}

struct interval stats_ratio(const double *a, const double *b, size_t n, uint64_t seed)
{
	struct interval out = { stats_median(a, n) / stats_median(b, n), NAN, NAN };
	double *ratio, *ra, *rb;
	struct prng r;

	if (n < 2)
		return out;
	ratio = xcalloc(RESAMPLES, sizeof(*ratio));
	ra = xcalloc(n, sizeof(*ra));
	rb = xcalloc(n, sizeof(*rb));
	prng_seed(&r, seed);
	for (int i = 0; i < RESAMPLES; i++)
		ratio[i] = resampled_ratio(a, b, ra, rb, n, &r);
	qsort(ratio, RESAMPLES, sizeof(*ratio), by_value);
	out.low = ratio[RESAMPLES * 25 / 1000];
	out.high = ratio[RESAMPLES * 975 / 1000 - 1];
	free(ratio);
	free(ra);
	free(rb);
	return out;
}

bool stats_differs(const struct interval *ratio, double margin)
{
	return ratio->low > 1 + margin || ratio->high < 1 / (1 + margin);
}
