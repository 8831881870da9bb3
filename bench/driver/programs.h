/* SPDX-License-Identifier: MIT */
/* programs.h: inputs of the real programs. */
#ifndef KB_PROGRAMS_H
#define KB_PROGRAMS_H

#include "driver/model.h"

/* Prepares the input of every program in the set; one that cannot be is marked as skipped. */
void programs_prepare(struct set *set);
const char *programs_directory(const struct task *task);
void programs_clean(const struct set *set);

#endif
