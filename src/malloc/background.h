/* SPDX-License-Identifier: MIT */
/*
 * The helper thread that returns memory while the program does not call malloc.
 */
#ifndef MALLOC_BACKGROUND_H
#define MALLOC_BACKGROUND_H

#include "lib/compiler.h"

/* Cheap; asked after each slow free. */
bool background_is_wanted(void);

/* Starts the helper if the process allows it.  Calls into the C library: outside the gate. */
__cold void background_start(void);

/* In the child of a fork, which has no helper. */
void background_forget(void);

#endif
