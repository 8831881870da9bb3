/* SPDX-License-Identifier: MIT */
/* memory.h: the memory of a child over time. */
#ifndef KB_MEMORY_H
#define KB_MEMORY_H

#include <sys/types.h>

#include "driver/model.h"

/* Adds the memory of pid and all its descendants at time t to the time line. */
void memory_sample(struct timeline *line, pid_t pid, double t);
void memory_add(struct timeline *line, const struct point *p);
/* Computes peak, integral and the values after the load, once all points are there. */
void memory_finish(struct timeline *line);

#endif
