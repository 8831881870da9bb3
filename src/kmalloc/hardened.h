/* SPDX-License-Identifier: MIT */
/*
 * Hardened mode: malloc and free of objects.
 */
#ifndef KMALLOC_HARDENED_H
#define KMALLOC_HARDENED_H

#include "harden/harden.h"

/* As heap_alloc and heap_free, outside the gate if the thread has what it takes.  size > 0. */
__slow void *hardened_alloc(size_t size);
__slow void *hardened_alloc_zeroed(size_t size);
__slow void hardened_free(void *ptr);

/* Inside the gate, for objects of a class. */
void *hardened_alloc_inside(unsigned class, size_t size);
void hardened_free_inside(unsigned class, void *object);

#endif
