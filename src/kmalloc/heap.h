/* SPDX-License-Identifier: MIT */
/*
 * The heap as a whole: requests of any size, pointers of any kind.  These are the slow paths of
 * malloc and kmalloc; each of them goes through the gate.
 */
#ifndef KMALLOC_HEAP_H
#define KMALLOC_HEAP_H

#include "kmalloc/sizes.h"

enum heap_kind {
	HEAP_FOREIGN,		/* not from here */
	HEAP_SLAB,		/* an object of a cache */
	HEAP_RUN,		/* pages of the zone */
	HEAP_AREA,		/* a vmap area */
	HEAP_EMERGENCY,		/* see emergency.h */
};

struct heap_object {
	enum heap_kind kind;
	uintptr_t start;	/* of what contains the pointer */
	size_t size;		/* usable */
	struct page *page;	/* slab: its first page; run: its first page */
};

/* Sets up everything below, once; every function here calls it when needed. */
void heap_init(void);

/*
 * Runs at the end of heap_init.  Does nothing, unless the library is a malloc: then
 * malloc/process.c has its own.
 */
void heap_ready(void);

/* gate_enter, with what was put off meanwhile done first; gate_leave is the way out. */
bool heap_enter(void);

/*
 * Without waiting and without a system call, from what is mapped; at least @keep pages stay
 * free (nowait.c).
 */
void *heap_alloc_nowait(size_t size, size_t align, size_t keep);

/* NULL if there is no memory; errno is not set.  size > 0. */
void *heap_alloc(size_t size);
void *heap_alloc_zeroed(size_t size);

/* The same for a size class: what the loaded magazine could not serve. */
void *heap_alloc_class(unsigned class);
void *heap_alloc_aligned(size_t size, size_t align);

/* Any pointer, NULL too.  What is not a start of something in use is reported. */
void heap_free(void *ptr);

/* What contains @ptr?  Says nothing about whether an object of a slab is in use. */
void heap_find(const void *ptr, struct heap_object *object);

/*
 * Grows or shrinks without copying, or NULL.  @object describes @ptr.
 */
void *heap_resize(void *ptr, const struct heap_object *object, size_t size);

/* As realloc(ptr, size) with both not zero; NULL leaves @ptr as it was. */
void *heap_realloc(void *ptr, size_t size);

/* Gives back all that is not in use; pages. */
size_t heap_trim(void);

#endif
