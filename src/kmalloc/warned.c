/* SPDX-License-Identifier: MIT */
/*
 * What <linux/bug.h> expands to.
 */
#define KMALLOC_BUILDING

#pragma GCC visibility push(default)
#include <linux/bug.h>
#pragma GCC visibility pop

#include <stdlib.h>

#include "lib/fmt.h"

bool kmalloc_warned(const char *file, int line, const char *function)
{
	fmt_print(2, "WARNING: at %s:%d %s()\n", file, line, function);
	return true;
}

void kmalloc_bug(const char *file, int line)
{
	fmt_print(2, "kernel BUG at %s:%d!\n", file, line);
	abort();
}
