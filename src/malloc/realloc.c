/* SPDX-License-Identifier: MIT */
/*
 * realloc and reallocarray, with glibc's answer to size 0: free, return NULL, leave errno alone.
 *
 * An object of a size class stays where it is if it fits, and moves by way of the thread's
 * magazines; everything else is up to the heap.
 */
#include "malloc/malloc.h"

#include <stdlib.h>
#include <string.h>

static __slow void *realloc_any(void *ptr, size_t size)
{
	void *new = heap_realloc(ptr, size);

	return new ? new : out_of_memory();
}

/* From an object of @old bytes.  One that is too large is good enough if there is no other. */
static void *realloc_move(void *ptr, size_t old, size_t size)
{
	int saved = errno;
	void *new = do_malloc(size);

	if (unlikely(!new) && size <= old)
		errno = saved;
	if (unlikely(!new))
		return size <= old ? ptr : NULL;
	memcpy(new, ptr, min(old, size));
	do_free(ptr);
	return new;
}

void *do_realloc(void *ptr, size_t size)
{
	const struct kmem_cache *s;

	if (!ptr)
		return do_malloc(size);
	if (!size) {
		do_free(ptr);
		return NULL;
	}
	s = heap_class_of(ptr);
	if (unlikely(!s))
		return realloc_any(ptr, size);
	return heap_fits(s->size, size) ? ptr : realloc_move(ptr, s->size, size);
}

__export void *realloc(void *ptr, size_t size)
{
	return do_realloc(ptr, size);
}

__export void *reallocarray(void *ptr, size_t n, size_t size)
{
	size_t bytes;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return out_of_memory();
	return do_realloc(ptr, bytes);
}
