/* SPDX-License-Identifier: MIT */
/* test_stats.c: the statistics of kmalloc-bench, on inputs whose results are known. */
#include <criterion/criterion.h>
#include <math.h>

#include "common/prng.h"
#include "driver/stats.h"

static int near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

Test(stats, median)
{
	double odd[] = { 5, 1, 4 }, even[] = { 4, 1, 3, 2 };

	cr_assert(near(stats_median(odd, 3), 4));
	cr_assert(near(stats_median(even, 4), 2.5));
	cr_assert(odd[0] == 5 && odd[2] == 4, "the input was changed");
	cr_assert(isnan(stats_median(odd, 0)));
}

Test(stats, spread_is_the_scaled_median_deviation)
{
	double v[] = { 1, 2, 3, 4, 100 };

	/* deviations from 3: 2 1 0 1 97, their median is 1 */
	cr_assert(near(stats_spread(v, 5), 1.4826));
}

Test(stats, one_outlier_moves_neither)
{
	double v[] = { 10, 10, 10, 10, 1e9 };

	cr_assert(near(stats_median(v, 5), 10));
	cr_assert(near(stats_spread(v, 5), 0));
}

Test(stats, geomean)
{
	double v[] = { 0.5, 2, 4, 0.25 }, one[] = { 7 };

	cr_assert(near(stats_geomean(v, 4), 1));
	cr_assert(near(stats_geomean(one, 1), 7));
	cr_assert(isnan(stats_geomean(v, 0)));
}

Test(stats, ratio_of_exact_multiples_has_no_width)
{
	double a[] = { 2, 4, 6, 8, 10 }, b[] = { 1, 2, 3, 4, 5 };
	struct interval r = stats_ratio(a, b, 5, 1);

	/* Rounds are resampled as pairs, so the drift that both share does not widen it. */
	cr_assert(near(r.value, 2) && near(r.low, 2) && near(r.high, 2));
}

Test(stats, one_round_gives_no_interval)
{
	double a[] = { 2 }, b[] = { 1 };
	struct interval r = stats_ratio(a, b, 1, 1);

	cr_assert(near(r.value, 2) && isnan(r.low) && isnan(r.high));
	cr_assert(!stats_differs(&r, 0));
}

static double noisy(struct prng *r, double centre)
{
	return centre * (1 + ((double)prng_below(r, 2001) - 1000) / 10000);
}

/* How many of 200 intervals of equal distributions hold 1. */
static int coverage(double factor, size_t n)
{
	double a[32], b[32];
	struct prng r;
	int hit = 0;

	prng_seed(&r, 42);
	for (int k = 0; k < 200; k++) {
		struct interval i;

		for (size_t j = 0; j < n; j++) {
			a[j] = noisy(&r, factor);
			b[j] = noisy(&r, 1);
		}
		i = stats_ratio(a, b, n, (uint64_t)k);
		hit += i.low <= factor && factor <= i.high;
	}
	return hit;
}

Test(stats, interval_holds_the_truth_as_often_as_it_says)
{
	cr_assert(coverage(1, 20) >= 180, "%d of 200", coverage(1, 20));
	cr_assert(coverage(0.7, 20) >= 180, "%d of 200", coverage(0.7, 20));
}

Test(stats, a_difference_must_be_clear_of_noise_and_margin)
{
	struct interval clear = { 0.5, 0.4, 0.6 }, across = { 0.9, 0.8, 1.1 };
	struct interval small = { 1.02, 1.015, 1.025 }, slower = { 2, 1.5, 2.5 };

	cr_assert(stats_differs(&clear, 0.03));
	cr_assert(stats_differs(&slower, 0.03));
	cr_assert(!stats_differs(&across, 0));
	cr_assert(!stats_differs(&small, 0.03));
	cr_assert(stats_differs(&small, 0.01));
}

Test(prng, shuffling_keeps_every_element)
{
	uint32_t a[100];
	int seen[100] = { 0 };
	struct prng r;

	prng_seed(&r, 3);
	for (uint32_t i = 0; i < 100; i++)
		a[i] = i;
	prng_shuffle(&r, a, 100);
	for (uint32_t i = 0; i < 100; i++)
		seen[a[i]]++;
	for (uint32_t i = 0; i < 100; i++)
		cr_assert(seen[i] == 1, "%u", i);
}

Test(prng, ranges_are_kept_and_seeds_matter)
{
	struct prng a, b;
	int same = 0;

	prng_seed(&a, 1);
	prng_seed(&b, 2);
	for (int i = 0; i < 10000; i++) {
		size_t s = prng_size_log(&a, 4, 10), n = prng_range(&b, 16, 128);

		cr_assert(s >= 16 && s < 1024 && n >= 16 && n <= 128);
		same += prng_next(&a) == prng_next(&b);
	}
	cr_assert(same == 0);
}
