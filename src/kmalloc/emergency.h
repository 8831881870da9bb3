/* SPDX-License-Identifier: MIT */
/*
 * Allocation without the gate: no lock, no waiting, any context.
 */
#ifndef KMALLOC_EMERGENCY_H
#define KMALLOC_EMERGENCY_H

#include "lib/compiler.h"

/* @align is a power of two up to 4096.  Not zeroed.  NULL if the system refuses. */
void *emergency_alloc(size_t size, size_t align);

/* False if @ptr is none of emergency_alloc's. */
bool emergency_free(void *ptr);
bool emergency_find(const void *ptr, uintptr_t *start, size_t *size);

/*
 * Whoever passes the gate next frees @ptr, of whatever kind.  Nothing is written to @ptr, which may
 * not be ours.  Where even that is impossible, @ptr is leaked.
 */
void emergency_defer_free(void *ptr);

struct deferred;
extern _Atomic(struct deferred *) emergency_deferred __attribute__((visibility("hidden")));

static inline bool emergency_has_deferred(void)
{
	return atomic_load_explicit(&emergency_deferred, memory_order_relaxed) != NULL;
}

/* As emergency_defer_free, for an object of ours of at least 16 bytes; needs no memory. */
void emergency_defer_object(void *object);

/* Calls @fn for each deferred pointer. */
void emergency_for_each_deferred(void (*fn)(void *ptr));

#endif
