/* SPDX-License-Identifier: MIT */
/*
 * KFENCE: some allocations, chosen at random, stand alone between inaccessible pages.
 */
#ifndef MM_KFENCE_H
#define MM_KFENCE_H

#include "os/os.h"

#define KFENCE_OBJECTS	255u
#define KFENCE_BYTES	((2 * (size_t)KFENCE_OBJECTS + 1) << PAGE_SHIFT)

/* Both are 0 unless one of the options is set. */
extern uintptr_t kfence_base __hidden;
extern bool kfence_on __hidden;

/*
 * Once, at start: guards one allocation every @interval_ms milliseconds, or one of @every slow
 * ones.  Nothing if both are 0.
 */
void kfence_init(unsigned interval_ms, unsigned every);

__slow bool kfence_tick(void);

/*
 * Shall the allocation of @size bytes at @align be guarded?  To be asked in slow paths only, and
 * with yes as the answer, once for each sample.
 */
static inline bool kfence_due(size_t size, size_t align)
{
	return unlikely(kfence_on) && size - 1 < PAGE_SIZE && align <= PAGE_SIZE && kfence_tick();
}

static inline bool kfence_owns(const void *ptr)
{
	return unlikely((uintptr_t)ptr - kfence_base < (kfence_base ? KFENCE_BYTES : 0));
}

/*
 * A guarded object, all of it zero, or NULL: the pool is full, or the system refuses.  @pc and @fp:
 * who asked, see os_backtrace.  Inside the gate.
 */
void *kfence_alloc(size_t size, size_t align, const void *pc, const void *fp);

/* Of something that kfence_owns.  What is wrong is reported.  Inside the gate. */
void kfence_free(void *ptr, const void *pc, const void *fp);

/* The object in use that contains @ptr; false if there is none. */
bool kfence_find(const void *ptr, uintptr_t *start, size_t *size);

#endif
