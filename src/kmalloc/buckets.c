/* SPDX-License-Identifier: MIT */
/*
 * kmem_buckets: a set of kmalloc caches of one's own, so that what one part of a program does with
 * its memory (an overflow, a use after free) does not reach the objects of others.
 *
 * The caches are made when their size is first asked for.
 *
 * Locks: none; a cache that two threads made at once is destroyed again.
 *
 * References: Linux mm/slab_common.c (kmem_buckets_create).
 */
#include "kmalloc/api.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/fmt.h"

#define BUCKET_NAME	32

struct kmem_buckets {
	char name[BUCKET_NAME];
	slab_flags_t flags;
	void (*ctor)(void *object);
	_Atomic(struct kmem_cache *) caches[NR_KMALLOC_CLASSES + 1];
};

kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags, unsigned useroffset,
				  unsigned usersize, void (*ctor)(void *object))
{
	kmem_buckets *b = do_kmalloc(sizeof(*b), GFP_KERNEL | __GFP_ZERO);

	(void)useroffset;
	(void)usersize;
	if (!b)
		return NULL;
	fmt_snprint(b->name, sizeof(b->name), "%s", name);
	b->flags = flags | SLAB_NO_MERGE;
	b->ctor = ctor;
	return b;
}

static struct kmem_cache *make_cache(kmem_buckets *b, unsigned class)
{
	size_t size = kmalloc_caches[class].size;
	struct kmem_cache_args args = {
		.align = (unsigned)min(natural_align(size), PAGE_SIZE), .ctor = b->ctor,
	};
	struct kmem_cache *s, *none = NULL;
	char name[BUCKET_NAME + 16];

	fmt_snprint(name, sizeof(name), "%s-%zu", b->name, size);
	s = do_cache_create(name, size, &args, b->flags);
	if (!s)
		return NULL;
	/* acq_rel: pairs with the acquire in cache_for */
	if (atomic_compare_exchange_strong_explicit(&b->caches[class], &none, s,
						    memory_order_acq_rel, memory_order_acquire))
		return s;
	do_cache_destroy(s);
	return none;
}

static struct kmem_cache *cache_for(kmem_buckets *b, size_t size, gfp_t gfp)
{
	unsigned class = size_class(size);
	struct kmem_cache *s = atomic_load_explicit(&b->caches[class], memory_order_acquire);

	return s || !gfp_may_block(gfp) ? s : make_cache(b, class);
}

static void *alloc_from(kmem_buckets *b, size_t size, gfp_t gfp)
{
	struct kmem_cache *s;

	if (!size)
		return ZERO_SIZE_PTR;
	s = b && size <= KMALLOC_MAX_CACHE_SIZE ? cache_for(b, size, gfp) : NULL;
	return s ? do_cache_alloc(s, gfp) : do_kmalloc(size, gfp);
}

void *kmem_buckets_alloc(kmem_buckets *b, size_t size, gfp_t gfp)
{
	return alloc_from(b, size, gfp);
}

void *kmem_buckets_alloc_track_caller(kmem_buckets *b, size_t size, gfp_t gfp)
{
	return alloc_from(b, size, gfp);
}

void *kmem_buckets_valloc(kmem_buckets *b, size_t size, gfp_t gfp)
{
	if (size <= KMALLOC_MAX_CACHE_SIZE)
		return alloc_from(b, size, gfp);
	return do_kvmalloc(size, gfp);
}
