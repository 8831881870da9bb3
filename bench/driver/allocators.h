/* SPDX-License-Identifier: MIT */
/* allocators.h: which allocators there are, and whether one was really bound. */
#ifndef KB_ALLOCATORS_H
#define KB_ALLOCATORS_H

#include <stdbool.h>

#include "driver/model.h"

/*
 * Fills set->allocator from a list of "name", "name=/path.so" or "name=/path.so@ENV=VALUE",
 * separated by commas; NULL: everything found on this machine; glibc is always the first.
 */
void allocators_find(struct set *set, const char *list);
void allocators_print(void);

/* The C library's file, to be freed; NULL if it is not where expected. */
char *allocators_libc(void);

/* The library that a child reported for a function is this allocator. */
bool allocator_is(const struct allocator *a, const char *library);

#endif
