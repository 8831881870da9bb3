/* SPDX-License-Identifier: MIT */
/* progress.h: how far we are: a bar with the time left on a terminal, else a line a step. */
#ifndef KB_PROGRESS_H
#define KB_PROGRESS_H

#include <stddef.h>

void progress_begin(size_t total);
void progress_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

#endif
