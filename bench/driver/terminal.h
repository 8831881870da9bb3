/* SPDX-License-Identifier: MIT */
/* terminal.h: the table of a set as text. */
#ifndef KB_TERMINAL_H
#define KB_TERMINAL_H

#include <stdio.h>

#include "driver/analysis.h"

void terminal_print(FILE *out, const struct set *set, enum metric metric);
void terminal_failures(FILE *out, const struct set *set);
/* Memory after the load and latencies, for the cells that have them. */
void terminal_passes(FILE *out, const struct set *set);

#endif
