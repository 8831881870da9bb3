/* SPDX-License-Identifier: MIT */
/*
 * realloc and reallocarray, with glibc's answer to size 0: free, return NULL, leave errno alone.
 */
#include "malloc/malloc.h"

#include <stdlib.h>

void *do_realloc(void *ptr, size_t size)
{
	void *new;

	if (!ptr)
		return do_malloc(size);
	if (!size) {
		do_free(ptr);
		return NULL;
	}
	new = heap_realloc(ptr, size);
	return new ? new : out_of_memory();
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
