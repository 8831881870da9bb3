/* SPDX-License-Identifier: MIT */
/*
 * malloc, free and calloc.
 *
 * The fast paths are what do_malloc and do_free in malloc.h compile to: a table of size classes,
 * the thread's magazine, done.  No lock, no atomic operation, no test whether the library or the
 * thread is ready: until they are, the tables lead to a magazine that is both empty and full.
 *
 * errno: set to ENOMEM where NULL means that; otherwise untouched, since everything below makes its
 * system calls without it (POSIX 2024 requires it of free).
 *
 * References: C23 7.24.3; POSIX.1-2024; reference figures in bench/RESULTS.md.
 */
#include "malloc/malloc.h"

#include <stdlib.h>
#include <string.h>

#include "kmalloc/hardened.h"
#include "malloc/background.h"
#include "mm/reclaim.h"
#include "os/backtrace.h"

void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

/*
 * The helper is made by pthread_create.  The C library frees small things with locks held that
 * pthread_create takes (a finished thread's dtv, under the one of the stack cache), so frees of
 * objects and threads at their end make none.
 */
static void consider_helper(void)
{
	if (unlikely(ATOMIC_READ(reclaim_helper_wanted)) && thread_tls.thread)
		background_consider();
}

static void *check(void *ptr)
{
	return likely(ptr) ? ptr : out_of_memory();
}

static void *hardened_malloc(size_t size)
{
	consider_helper();
	if (unlikely(size > MAX_REQUEST))
		return out_of_memory();
	return check(size ? hardened_alloc(size) : heap_alloc_nothing());
}

/* 1024 < size <= max_class_size, or everything else; or a thread without magazines. */
static __always_inline void *malloc_plain(size_t size)
{
	unsigned class;
	void *ptr;

	consider_helper();
	if (size - 1 < max_class_size) {
		class = size_class(size);
		ptr = class_pop(this_thread(), class);
		return likely(ptr) ? ptr : heap_alloc_class(class);
	}
	if (unlikely(size > MAX_REQUEST))
		return out_of_memory();
	return check(size ? heap_alloc(size) : heap_alloc_nothing());
}

static void *malloc_unguarded(size_t size)
{
	return harden.on ? hardened_malloc(size) : malloc_plain(size);
}

/* KFENCE wants this one.  Jumped to, so that its caller is the program; so are the next ones. */
static __cold void *malloc_guarded(size_t size)
{
	void *ptr = heap_alloc_guarded(size, 16, CALLER_PC, CALLER_FP);

	return ptr ? ptr : malloc_unguarded(size);
}

static __slow void *malloc_unusual(size_t size)
{
	return kfence_due(size, 16) ? malloc_guarded(size) : malloc_unguarded(size);
}

void *malloc_slow(size_t size)
{
	return unlikely(heap_unusual) ? malloc_unusual(size) : malloc_plain(size);
}

static __cold void free_guarded(void *ptr)
{
	heap_free_guarded(ptr, CALLER_PC, CALLER_FP);
}

static __slow void free_other(void *ptr)
{
	KEEP_FRAME();
	heap_free(ptr);
	consider_helper();
}

void *malloc_empty(size_t size, size_t class)
{
	if (unlikely(!class) || unlikely(heap_unusual))
		return malloc_slow(size);
	consider_helper();
	return heap_alloc_class(class);
}

/* What is no object of a size class in the first region, or a mistake. */
void free_slow(void *ptr)
{
	if (!ptr)
		return;
	if (kfence_owns(ptr)) {
		free_guarded(ptr);
		return;
	}
	if (unlikely(harden.on)) {
		hardened_free(ptr);
		return;
	}
	free_other(ptr);
}

void free_full(void *ptr, size_t class)
{
	if (likely(class - 1u < NR_KMALLOC_CLASSES) && likely(!harden.on))
		heap_free_class(class, ptr);
	else
		free_slow(ptr);
}

static __always_inline void *calloc_unguarded(size_t size)
{
	if (unlikely(size > MAX_REQUEST))
		return out_of_memory();
	if (unlikely(!size))
		return check(heap_alloc_nothing());
	return check(unlikely(harden.on) ? hardened_alloc_zeroed(size) : heap_alloc_zeroed(size));
}

static __cold void *calloc_guarded(size_t size)
{
	void *ptr = heap_alloc_guarded(size, 16, CALLER_PC, CALLER_FP);

	return ptr ? ptr : calloc_unguarded(size);
}

void *calloc_slow(size_t size)
{
	return kfence_due(size, 16) ? calloc_guarded(size) : calloc_unguarded(size);
}

void *do_calloc(size_t n, size_t size)
{
	size_t bytes;
	void *ptr;

	if (unlikely(__builtin_mul_overflow(n, size, &bytes)))
		return out_of_memory();
	if (unlikely(bytes - 1 >= max_class_size))
		return calloc_slow(bytes);
	ptr = class_pop(this_thread(), size_class(bytes));
	return likely(ptr) ? memset(ptr, 0, bytes) : calloc_slow(bytes);
}

__export void *malloc(size_t size)
{
	return do_malloc(size);
}

__export void free(void *ptr)
{
	do_free(ptr);
}

__export void *calloc(size_t n, size_t size)
{
	return do_calloc(n, size);
}

/* In old C libraries only, but still called by old programs. */
void cfree(void *ptr);

__export void cfree(void *ptr)
{
	do_free(ptr);
}
