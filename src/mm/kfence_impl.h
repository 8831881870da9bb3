/* SPDX-License-Identifier: MIT */
/*
 * What kfence.c and kfence_report.c share.
 */
#ifndef MM_KFENCE_IMPL_H
#define MM_KFENCE_IMPL_H

#include "lib/list.h"
#include "mm/kfence.h"
#include "os/backtrace.h"

#define KFENCE_DEPTH	16u

struct kfence_event {
	uint64_t when;			/* milliseconds; 0: has not happened */
	uintptr_t thread;
	uint32_t depth;
	const void *stack[KFENCE_DEPTH];
};

enum kfence_state { KFENCE_UNUSED, KFENCE_ALLOCATED, KFENCE_FREED };

struct kfence_object {
	struct list_node list;		/* of those that are not in use, the oldest first */
	_Atomic uint8_t state;		/* enum kfence_state */
	uint16_t source;		/* hash of who allocated it */
	uint32_t size;
	uintptr_t addr;
	uintptr_t opened;		/* a guard page that a report made accessible, or 0 */
	struct kfence_event allocated, freed;
};

enum kfence_error {
	KFENCE_OUT_OF_BOUNDS,
	KFENCE_USE_AFTER_FREE,
	KFENCE_CORRUPTION,
	KFENCE_INVALID,			/* an access where no object ever was */
	KFENCE_INVALID_FREE,
};

struct kfence_report {
	enum kfence_error error;
	uintptr_t addr;
	bool write;
	const struct kfence_object *object;	/* or NULL */
	unsigned number;		/* of it */
	const void *pc, *fp;
};

/* What stands around an object, so that a write there is seen when it is freed. */
static inline unsigned char kfence_canary(uintptr_t addr)
{
	return 0xaa ^ (unsigned char)(addr & 7);
}

void kfence_print(const struct kfence_report *report);

#endif
