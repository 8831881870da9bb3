/* SPDX-License-Identifier: MIT */
/*
 * The heap as a whole: requests of any size, pointers of any kind.  These are the slow paths of
 * malloc and kmalloc; each of them goes through the gate.
 */
#ifndef KMALLOC_HEAP_H
#define KMALLOC_HEAP_H

#include "kmalloc/emergency.h"
#include "kmalloc/sizes.h"
#include "mm/kfence.h"

enum heap_kind {
	HEAP_FOREIGN,		/* not from here */
	HEAP_SLAB,		/* an object of a cache */
	HEAP_RUN,		/* pages of the zone */
	HEAP_AREA,		/* a vmap area */
	HEAP_EMERGENCY,		/* see emergency.h */
	HEAP_GUARDED,		/* see mm/kfence.h */
};

struct heap_object {
	enum heap_kind kind;
	uintptr_t start;	/* of what contains the pointer */
	size_t size;		/* usable; of a hardened object that is not in use: SIZE_MAX */
	struct page *page;	/* slab: its first page; run: its first page */
	unsigned index;		/* slab: of the object; of the end that is none, at least objects */
};

/* Sets up everything below, once; every function here calls it when needed. */
void heap_init(void);

/*
 * Runs at the end of heap_init.  Does nothing, unless the library is a malloc: then
 * malloc/process.c has its own.
 */
void heap_ready(void);

enum { HEAP_NOT_READY, HEAP_STARTING, HEAP_READY };

extern _Atomic uint32_t heap_state __hidden;

/* Hardened, or guarded by KFENCE: allocations must look what else there is to do. */
extern bool heap_unusual __hidden;

__slow void heap_free_deferred(void);

/*
 * Into the heap: every function that uses the layers below goes through it, and out with
 * gate_leave. False: the caller must not wait for anything (see the gate) and has emergency.h.
 */
static __always_inline bool heap_enter(void)
{
	/* acquire: pairs with the release in heap_init */
	if (unlikely(atomic_load_explicit(&heap_state, memory_order_acquire) != HEAP_READY))
		heap_init();
	if (unlikely(!gate_enter()))
		return false;
	if (unlikely(emergency_has_deferred()))
		heap_free_deferred();
	return true;
}

/*
 * The same for functions that are not called with locks of the C library held, as malloc is: waits
 * for the end of a fork() that takes long.  False in a signal handler that interrupted the heap.
 */
bool heap_enter_wait(void);

/*
 * Without waiting and without a system call, from what is mapped; at least @keep pages stay
 * free (nowait.c).
 */
void *heap_alloc_nowait(size_t size, size_t align, size_t keep);

/* NULL if there is no memory; errno is not set.  size > 0. */
void *heap_alloc(size_t size);
void *heap_alloc_nothing(void);		/* size 0: not NULL, but may not be touched */
void *heap_alloc_zeroed(size_t size);

void *heap_alloc_aligned(size_t size, size_t align);

/* An object of a size class, which the loaded magazine does not have; errno is set as by malloc. */
void *heap_alloc_class(size_t class);

/* Any pointer, NULL too.  What is not a start of something in use is reported. */
void heap_free(void *ptr);

/* An object of a size class, which the loaded magazine could not take. */
void heap_free_class(size_t class, void *ptr);

/* What contains @ptr?  Says nothing about whether an object of a slab is in use. */
void heap_find(const void *ptr, struct heap_object *object);

enum heap_fault {
	HEAP_SOUND,		/* the start of something in use */
	HEAP_NOT_OURS,
	HEAP_LIBRARYS,		/* something that the library has for itself */
	HEAP_INSIDE,		/* points into something, not at its start */
	HEAP_IS_FREE,		/* was freed, or never handed out */
};

/* The same, and whether the program may use @ptr as what malloc returned. */
enum heap_fault heap_validate(const void *ptr, struct heap_object *object);

/* Reports what heap_validate found.  @what is the function that the program called. */
__cold void heap_complain(enum heap_fault fault, const char *what, const void *ptr,
			  const struct heap_object *object);

/* Both: false if it was reported. */
bool heap_is_sound(const char *what, const void *ptr, struct heap_object *object);

/*
 * The size class of @ptr if it is an object in use of one, and all is as it mostly is.  NULL says
 * nothing: heap_validate does.
 */
const struct kmem_cache *heap_class_of(const void *ptr);

/* Is an object of @have bytes good enough for @size of them? */
static inline bool heap_fits(size_t have, size_t size)
{
	return size <= have && size >= have / 2;
}

/*
 * Grows or shrinks without copying, or NULL.  @object describes @ptr.
 */
void *heap_resize(void *ptr, const struct heap_object *object, size_t size);

/* As realloc(ptr, size) with both not zero; NULL leaves @ptr as it was. */
void *heap_realloc(void *ptr, size_t size);

/* guarded.c: as kfence_alloc and kfence_free, for those who are not inside the gate. */
void *heap_alloc_guarded(size_t size, size_t align, const void *pc, const void *fp);
void heap_free_guarded(void *ptr, const void *pc, const void *fp);

/* zero_size.c: at start; and is it the cache of what may not be touched? */
void zero_size_init(void);
bool is_zero_size_cache(const struct kmem_cache *s);

/* Gives back all that is not in use; pages. */
size_t heap_trim(void);

#endif
