/* SPDX-License-Identifier: MIT */
/* command.h: the command line and environment of a child. */
#ifndef KB_COMMAND_H
#define KB_COMMAND_H

#include "driver/child.h"

enum { COMMAND_FD = 9 };	/* where the child reports */

/* Replaces this process by the cell's command; returns on failure only. */
void command_exec(const struct cell *cell, const struct child_options *o);

#endif
