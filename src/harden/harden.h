/* SPDX-License-Identifier: MIT */
/*
 * Hardened mode: what is in force, decided at start and read-only from then on.
 */
#ifndef HARDEN_HARDEN_H
#define HARDEN_HARDEN_H

#include "slab/slab.h"

#define HARDEN_MARK	sizeof(uint64_t)	/* at the end of each object: see object.h */

/* What the hot paths must know of a size class: half a cache line. */
struct harden_class {
	uint64_t divides;		/* a multiple of size times this is below this (Lemire) */
	uint32_t size;
	uint32_t slab_mask;		/* bytes of a slab - 1 */
	uint32_t slab_used;		/* of them: where there are objects */
	uint32_t slots;			/* where in harden_thread.slots its objects start */
	uint16_t max_ready;		/* of a thread: objects it may hand out at once */
	uint16_t ring, random;		/* of a thread: places of its quarantine */
	uint16_t unused;
};

static_assert(sizeof(struct harden_class) == 32, "half a cache line");

struct harden {
	bool on;
	bool zero;			/* objects are zeroed when they are freed */
	bool check;			/* and looked at for writes when they are used again */
	bool exact;			/* what lies behind the request is checked too */
	bool shuffle;
	bool guard;			/* large blocks stand between inaccessible pages */
	uint32_t tail;			/* what each object needs beyond the request; 0 if not on */
	uint32_t max_request;		/* that an object can serve */
	uint32_t thread_bytes;		/* of a struct harden_thread with its slots */
	uint64_t secret[2];
	uint64_t seed;			/* of the threads' random numbers */
	struct harden_class class[NR_KMALLOC_CLASSES + 1];
} __attribute__((aligned(PAGE_SIZE)));

static_assert(sizeof(struct harden) == PAGE_SIZE, "nothing else becomes read-only with it");

extern struct harden harden __hidden;

/* Once, after the kmalloc caches are made and before the first thread. */
void harden_init(void);

#endif
