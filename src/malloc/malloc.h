/* SPDX-License-Identifier: MIT */
/*
 * The C library's names, as this library defines them, for use among the files of this folder:
 * a call through the public name could end in another library that defines it too.
 */
#ifndef MALLOC_MALLOC_H
#define MALLOC_MALLOC_H

#include <errno.h>

#include "kmalloc/heap.h"

/* The largest request that is ever granted: differences of pointers must fit into ptrdiff_t. */
#define MAX_REQUEST	((size_t)PTRDIFF_MAX)

__slow void *malloc_slow(size_t size);
__slow void free_slow(void *ptr);

/* The same where the class, if it is one, is known to have nothing at hand, or no room. */
__slow void *malloc_empty(size_t size, size_t class);
__slow void free_full(void *ptr, size_t class);
__slow void *calloc_slow(size_t size);
__cold void *out_of_memory(void);

static inline void *do_malloc(size_t size)
{
	size_t step = (size + 15) / 16;		/* 0 for sizes that wrap: class 0 is always empty */
	struct thread_tls *tls;
	size_t class;
	void *object;

	OPAQUE(step);				/* else the compiler tests size + 15 as well */
	if (unlikely(step >= SIZE_STEPS))
		return malloc_slow(size);
	tls = this_thread();
	class = tls->class_of[step];
	OPAQUE_INDEX(class);
	object = class_pop(tls, class);
	return likely(object) ? object : malloc_empty(size, class);
}

static inline void do_free(void *ptr)
{
	uintptr_t base = slab_map_base;
	size_t granule = ((uintptr_t)ptr - base) >> GRANULE_SHIFT, class;

	if (unlikely(granule >= slab_map_granules)) {
		free_slow(ptr);
		return;
	}
	class = ((const uint8_t *)base)[granule];
	OPAQUE_INDEX(class);
	if (unlikely(!class_push(this_thread(), class, ptr, base)))
		free_full(ptr, class);
}

void *do_calloc(size_t n, size_t size);
void *do_realloc(void *ptr, size_t size);
void *do_memalign(size_t align, size_t size);	/* any align: rounded up to a power of two */
int do_posix_memalign(void **ptr, size_t align, size_t size);
size_t do_usable_size(void *ptr);

#endif
