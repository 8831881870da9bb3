/* SPDX-License-Identifier: MIT */
/*
 * Accesses to memory that is not accessible.
 */
#ifndef OS_FAULT_H
#define OS_FAULT_H

#include "lib/compiler.h"

struct os_fault {
	uintptr_t addr;
	bool write;
	const void *pc, *fp;		/* of the instruction; for os_backtrace */
};

enum os_fault_verdict {
	OS_FAULT_FOREIGN,		/* whoever had the signal before may have it */
	OS_FAULT_GO_ON,			/* the instruction can be tried again */
	OS_FAULT_DIE,			/* by the signal, at that instruction */
};

/*
 * From now on @fn is asked about each SIGSEGV, in the handler.  Once, at start: it makes a system
 * call that programs in sandboxes may not make later.
 */
void os_fault_catch(enum os_fault_verdict (*fn)(const struct os_fault *fault));

/*
 * Reads a word that perhaps cannot be read: false then, as long as the handler of os_fault_catch is
 * in place.
 */
bool os_probe(const void *from, uintptr_t *to) __hidden;

#endif
