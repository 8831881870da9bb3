/* SPDX-License-Identifier: MIT */
/*
 * What lies where in the address space: the stacks of threads, the modules of the program.
 *
 * All of it comes from /proc/self/maps, by system calls of its own: the dynamic linker would tell
 * names too, but behind its lock.  So this is for debugging and reports only.
 */
#ifndef OS_WHERE_H
#define OS_WHERE_H

#include "lib/compiler.h"

/* From the lowest address that may be touched to the first one behind. */
struct os_stack {
	uintptr_t low, high;
};

/* The stack that the calling thread was started on; empty if it runs on another one now. */
struct os_stack os_stack_find(void);

/* An address of code, by module, for addr2line(1). */
struct os_place {
	const void *addr;
	uintptr_t offset;		/* from the module's start; the address if it has none */
	char module[40];		/* the last part of its path; empty: none */
};

/* Fills in what is missing in places of which only addr is set. */
void os_locate(struct os_place *places, unsigned n);

#endif
