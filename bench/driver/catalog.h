/* SPDX-License-Identifier: MIT */
/* catalog.h: which tasks there are. */
#ifndef KB_CATALOG_H
#define KB_CATALOG_H

#include "driver/model.h"

/* All tasks: built-in workloads, programs, traces. */
void catalog_load(struct set *set);
/* One trace from anywhere. */
void catalog_add_trace(struct set *set, const char *path);
/*
 * Keeps the tasks that a list of names or families names ("pair,large,standard"); NULL: the
 * standard choice, of which quick is the part that answers within a minute.
 */
void catalog_select(struct set *set, const char *list, bool quick);
void catalog_print(const struct set *set);

#endif
