/* SPDX-License-Identifier: MIT */
/* plot.h: plots of a set as SVG text, made by gnuplot. */
#ifndef KB_PLOT_H
#define KB_PLOT_H

#include "driver/analysis.h"

/* Each returns SVG text to be freed, or NULL: nothing to show, or no gnuplot here. */
char *plot_means(const struct table *time, const struct table *memory);
char *plot_family(const struct table *table, const char *family);
char *plot_memory(const struct set *set, size_t row);
char *plot_latency(const struct set *set, size_t row, int call);
char *plot_scaling(const struct set *set, const char *task);

/* The colour of an allocator's marks, "#rrggbb": the same in every plot and table. */
const char *plot_colour(const struct set *set, size_t allocator);

#endif
