/* SPDX-License-Identifier: MIT */
/*
 * The kernel's interface, seen from inside: what the files that implement it share.
 *
 * Public functions have the kernel's names and are exported.  A program may define the same
 * names, so nothing in the library calls them: it calls the do_ functions below.
 */
#ifndef KMALLOC_API_H
#define KMALLOC_API_H

#define KMALLOC_BUILDING

#include "kmalloc/gfp.h"
#include "kmalloc/heap.h"
#include "magazine/nowait.h"

#pragma GCC visibility push(default)
#include <linux/mempool.h>
#include <linux/mm_types.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#pragma GCC visibility pop

/* kmalloc.c */
void *do_kmalloc(size_t size, gfp_t gfp);
void *do_kmalloc_aligned(size_t size, size_t align, gfp_t gfp);
void do_kfree(const void *ptr);
size_t do_ksize(const void *ptr);

/* The natural alignment of @size: its largest divisor that is a power of two. */
static inline size_t natural_align(size_t size)
{
	return size & -size;
}

/* Zeroes memory that is about to be freed; the compiler would see no use in that. */
static inline void wipe(void *ptr, size_t size)
{
	__builtin_memset(ptr, 0, size);
	__asm__ volatile("" : : "r"(ptr) : "memory");
}

/* vmalloc.c: any size but 0. */
void *do_vmalloc(size_t size, size_t align, gfp_t gfp);
void *do_kvmalloc(size_t size, gfp_t gfp);

/* pages.c: 1 << order pages, or the first @nr of them. */
struct page *do_alloc_pages(gfp_t gfp, unsigned order, unsigned nr);
void do_free_pages(struct page *page);

/* cache_alloc.c */
void *do_cache_alloc(struct kmem_cache *s, gfp_t gfp);
void do_cache_free(struct kmem_cache *s, void *object);
/* False if it is none of a cache that is debugged: then nothing was done. */
bool free_if_debugged(void *object, const void *frame);
/* If it is debugged: of the object only @size bytes were asked for. */
void set_request_size(struct kmem_cache *s, void *object, size_t size);
bool do_cache_alloc_bulk(struct kmem_cache *s, gfp_t gfp, size_t n, void **objects);

/* kmem_cache.c */
struct kmem_cache *do_cache_create(const char *name, size_t size,
				   const struct kmem_cache_args *args, slab_flags_t flags);
bool do_cache_destroy(struct kmem_cache *s);

/* What only caches of the program have; their struct kmem_cache comes first. */
#define CACHE_NAME_SIZE	64

struct user_cache {
	struct kmem_cache cache;
	unsigned refcount;		/* more than 1: merged; under user_caches_lock */
	unsigned useroffset, usersize;
	slab_flags_t flags;		/* as asked for */
	kmalloc_ctor3_t ctor3, dtor3;	/* of the old interface */
	char name[CACHE_NAME_SIZE];
};

/* cache_hooks.c: what it does with its slabs; NULL: nothing special. */
const struct slab_hooks *cache_hooks(const struct user_cache *c);

/* Is it one of the program's, rather than one of the library's own or of malloc's? */
struct user_cache *user_cache_of(struct kmem_cache *s);

/* kmalloc_debug.c: where kmalloc goes when slab_debug may concern its caches. */
void *kmalloc_debug_alloc(size_t size, size_t align, gfp_t gfp);

/* compat.c */
void *compat_dma_alloc(size_t size, gfp_t gfp);

#endif
