/* SPDX-License-Identifier: MIT */
/* binding.h: which library serves the malloc family in this process. */
#ifndef KB_BINDING_H
#define KB_BINDING_H

#include <stddef.h>

/*
 * Calls say for each function of the malloc family that this module calls, with the library that
 * its calls end in.
 */
void binding_each(void (*say)(const char *function, const char *library));

#endif
