/* SPDX-License-Identifier: MIT */
/*
 * Ways in and out for the objects of KFENCE (mm/kfence.c).
 *
 * Locks: none of its own; everything runs inside the gate.
 */
#include "kmalloc/heap.h"

void *heap_alloc_guarded(size_t size, size_t align, const void *pc, const void *fp)
{
	void *ptr;

	if (!heap_enter())
		return NULL;
	ptr = kfence_alloc(size, align, pc, fp);
	gate_leave();
	return ptr;
}

void heap_free_guarded(void *ptr, const void *pc, const void *fp)
{
	if (!heap_enter()) {
		emergency_defer_free(ptr);
		return;
	}
	kfence_free(ptr, pc, fp);
	gate_leave();
}
