/* SPDX-License-Identifier: MIT */
/*
 * The heap for callers that may neither wait nor make a system call.
 */
#ifndef MAGAZINE_NOWAIT_H
#define MAGAZINE_NOWAIT_H

#include "magazine/thread.h"

/*
 * The gate, tried.  GATE_NESTED: inside a slow path of the own thread, which fork() waits for
 * anyway: shared structures may be used if their locks can be had, the thread's own ones may not.
 */
enum gate_pass { GATE_CLOSED, GATE_ENTERED, GATE_NESTED };

enum gate_pass gate_try_enter(void);
void gate_leave_try(enum gate_pass pass);

/*
 * An object of what the thread (unless @tc is NULL), the depot, or slabs of mapped pages have, of
 * which @keep stay free.
 */
void *magazine_alloc_nowait(struct kmem_cache *s, struct thread_class *tc, size_t keep);

#endif
