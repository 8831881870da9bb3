/* SPDX-License-Identifier: MIT */
/* compare.h: what changed between two sets beyond noise. */
#ifndef KB_COMPARE_H
#define KB_COMPARE_H

#include <stdio.h>

#include "driver/analysis.h"

struct change {
	const struct cell *before, *after;
	enum metric metric;
	struct interval ratio;		/* after / before */
	bool broke, mended;		/* it failed only after, or only before */
};

/* All changes of a metric that are larger than noise; to be freed. */
struct change *compare_sets(const struct set *before, const struct set *after,
			    enum metric metric, size_t *n);
/* Prints them; returns how many became worse. */
size_t compare_print(FILE *out, const struct set *before, const struct set *after);

#endif
