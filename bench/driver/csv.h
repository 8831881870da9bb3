/* SPDX-License-Identifier: MIT */
/* csv.h: the figures of a set as comma separated values, a line for each cell. */
#ifndef KB_CSV_H
#define KB_CSV_H

#include <stdio.h>

#include "driver/model.h"

void csv_write(FILE *out, const struct set *set);

#endif
