/* SPDX-License-Identifier: MIT */
/*
 * Stacks of callers, by frame pointers.
 */
#ifndef OS_BACKTRACE_H
#define OS_BACKTRACE_H

#include "lib/compiler.h"

/*
 * Fills @pcs with up to @n addresses: @pc, and what the frames from @fp on say, as long as they can
 * be believed.  Returns how many.
 */
unsigned os_backtrace(const void **pcs, unsigned n, const void *pc, const void *fp);

/* Both arguments, in a function that the program called: about who did. */
#define CALLER_PC	__builtin_return_address(0)
#define CALLER_FP	(*(const void *const *)__builtin_frame_address(0))

#endif
