/* SPDX-License-Identifier: MIT */
/* test_hist.c: the log-linear histogram of kmalloc-bench. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/hist.h"

Test(hist, every_value_lies_in_its_bucket)
{
	for (uint64_t v = 0; v < 100000; v++) {
		unsigned i = hist_index(v);

		cr_assert(hist_low(i) <= v && v <= hist_high(i), "%llu in %u: %llu … %llu",
			  (unsigned long long)v, i, (unsigned long long)hist_low(i),
			  (unsigned long long)hist_high(i));
	}
}

Test(hist, buckets_touch_and_are_narrow)
{
	for (unsigned i = 1; i < HIST_BUCKETS; i++) {
		cr_assert(hist_low(i) == hist_high(i - 1) + 1, "gap before bucket %u", i);
		cr_assert(hist_high(i) - hist_low(i) <= hist_low(i) / HIST_SUB, "bucket %u", i);
	}
}

Test(hist, the_largest_value_fits)
{
	cr_assert(hist_index(UINT64_MAX) == HIST_BUCKETS - 1);
	cr_assert(hist_high(HIST_BUCKETS - 1) == UINT64_MAX);
}

Test(hist, quantiles_of_small_values_are_exact)
{
	static struct hist h;

	for (uint64_t v = 1; v <= 20; v++)
		hist_add(&h, v);
	cr_assert(hist_quantile(&h, 0.5) == 10);
	cr_assert(hist_quantile(&h, 0.95) == 19);
	cr_assert(hist_quantile(&h, 1) == 20);
	cr_assert(hist_quantile(&h, 0) == 1);
}

Test(hist, quantiles_are_never_too_low_nor_a_bucket_too_high)
{
	static struct hist h;

	for (uint64_t v = 1; v <= 100000; v++)
		hist_add(&h, v);
	for (int percent = 1; percent <= 100; percent++) {
		uint64_t exact = (uint64_t)percent * 1000;
		uint64_t q = hist_quantile(&h, percent / 100.0);

		cr_assert(q >= exact && q <= exact + exact / HIST_SUB + 1, "%d %%: %llu", percent,
			  (unsigned long long)q);
	}
}

Test(hist, merging_adds)
{
	static struct hist a, b;

	hist_add(&a, 5);
	hist_add(&b, 1000);
	hist_add(&b, 5);
	hist_merge(&a, &b);
	cr_assert(a.total == 3 && a.max == 1000 && a.count[5] == 2);
	cr_assert(hist_quantile(&a, 0.6) == 5);
}

Test(hist, empty)
{
	static struct hist h;

	cr_assert(hist_quantile(&h, 0.5) == 0);
}
