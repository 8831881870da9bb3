/* SPDX-License-Identifier: MIT */
/*
 * The names under which glibc exports its own malloc a second time.  Libraries that wrap malloc
 * call them; if they led to glibc, the program would have two heaps.
 */
#include "malloc/malloc.h"

void *__libc_malloc(size_t size);
void __libc_free(void *ptr);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
void __libc_cfree(void *ptr);
int __posix_memalign(void **ptr, size_t align, size_t size);

__export void *__libc_malloc(size_t size)
{
	return do_malloc(size);
}

__export void __libc_free(void *ptr)
{
	do_free(ptr);
}

__export void *__libc_calloc(size_t n, size_t size)
{
	return do_calloc(n, size);
}

__export void *__libc_realloc(void *ptr, size_t size)
{
	return do_realloc(ptr, size);
}

__export void *__libc_memalign(size_t align, size_t size)
{
	return do_memalign(align, size);
}

__export void *__libc_valloc(size_t size)
{
	return do_memalign(PAGE_SIZE, size);
}

__export void *__libc_pvalloc(size_t size)
{
	if (size > MAX_REQUEST - PAGE_SIZE)
		return out_of_memory();
	return do_memalign(PAGE_SIZE, (size + PAGE_SIZE - !!size) & ~(PAGE_SIZE - 1));
}

__export void __libc_cfree(void *ptr)
{
	do_free(ptr);
}

__export int __posix_memalign(void **ptr, size_t align, size_t size)
{
	return do_posix_memalign(ptr, align, size);
}
