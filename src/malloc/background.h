/* SPDX-License-Identifier: MIT */
/*
 * The helper thread that returns memory while the program does not call malloc.
 */
#ifndef MALLOC_BACKGROUND_H
#define MALLOC_BACKGROUND_H

#include "lib/compiler.h"

/*
 * Starts the helper if the process may have one; for when reclaim_helper_wanted is set.  Calls into
 * the C library: outside the gate.
 */
__cold void background_consider(void);

/* In the child of a fork, which has no helper. */
void background_forget(void);

#endif
