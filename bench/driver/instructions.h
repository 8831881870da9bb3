/* SPDX-License-Identifier: MIT */
/* instructions.h: the pass that counts instructions under callgrind. */
#ifndef KB_INSTRUCTIONS_H
#define KB_INSTRUCTIONS_H

#include "driver/schedule.h"

/* Sets cell->instructions, if the cell is a single-threaded workload and valgrind is here. */
void instructions_measure(struct cell *cell, const struct plan *plan);

#endif
