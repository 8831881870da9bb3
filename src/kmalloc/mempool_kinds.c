/* SPDX-License-Identifier: MIT */
/*
 * The ready-made kinds of elements for memory pools.
 */
#include "kmalloc/api.h"

#include "lib/bug.h"
#include "mm/region.h"

/* A constructor would find objects that pools had in hand as it left them, or not. */
void *mempool_alloc_slab(gfp_t gfp, void *cache)
{
	struct kmem_cache *s = cache;

	if (unlikely(s->ctor))
		warn("mempool_alloc_slab: cache %s has a constructor", s->name);
	return do_cache_alloc(s, gfp);
}

void mempool_free_slab(void *element, void *cache)
{
	do_cache_free(cache, element);
}

void *mempool_kmalloc(gfp_t gfp, void *size)
{
	return do_kmalloc((size_t)size, gfp);
}

void mempool_kfree(void *element, void *size)
{
	(void)size;
	do_kfree(element);
}

void *mempool_kvmalloc(gfp_t gfp, void *size)
{
	return do_kvmalloc((size_t)size, gfp);
}

void mempool_kvfree(void *element, void *size)
{
	(void)size;
	do_kfree(element);
}

/* Elements are struct pages. */
void *mempool_alloc_pages(gfp_t gfp, void *order)
{
	unsigned n = (unsigned)(uintptr_t)order;

	return do_alloc_pages(gfp, n, 1u << (n & 15));
}

void mempool_free_pages(void *element, void *order)
{
	(void)order;
	do_free_pages(element);
}
