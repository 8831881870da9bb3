/* SPDX-License-Identifier: MIT */
/*
 * Prefilled sheaves: objects set aside beforehand, so that taking them later can neither fail nor
 * wait nor touch anything shared.
 *
 * A sheaf belongs to whoever got it; objects taken from it are freed like any others.
 *
 * References: Linux mm/slub.c (kmem_cache_prefill_sheaf), lib/maple_tree.c.
 */
#include "kmalloc/api.h"

#include <errno.h>
#include <string.h>

#include "lib/bug.h"

struct slab_sheaf {
	struct kmem_cache *cache;
	unsigned size;			/* objects in it */
	unsigned capacity;
	void *objects[];
};

static struct slab_sheaf *new_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned capacity)
{
	size_t bytes = sizeof(struct slab_sheaf) + capacity * sizeof(void *);
	struct slab_sheaf *sheaf = do_kvmalloc(bytes, gfp & ~__GFP_ZERO);

	if (!sheaf)
		return NULL;
	sheaf->cache = s;
	sheaf->size = 0;
	sheaf->capacity = capacity;
	return sheaf;
}

static bool fill_to(struct slab_sheaf *sheaf, gfp_t gfp, unsigned n)
{
	if (n <= sheaf->size)
		return true;
	if (!do_cache_alloc_bulk(sheaf->cache, gfp & ~__GFP_ZERO, n - sheaf->size,
				 sheaf->objects + sheaf->size))
		return false;
	sheaf->size = n;
	return true;
}

static void empty_sheaf(struct slab_sheaf *sheaf)
{
	while (sheaf->size)
		do_cache_free(sheaf->cache, sheaf->objects[--sheaf->size]);
}

struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t gfp, unsigned n)
{
	struct slab_sheaf *sheaf = new_sheaf(s, gfp, n);

	if (sheaf && !fill_to(sheaf, gfp, n)) {
		do_kfree(sheaf);
		return NULL;
	}
	if (sheaf)
		atomic_fetch_add_explicit(n > s->max_rounds ? &s->depot.sheaf_prefill_oversize :
					  &s->depot.sheaf_prefill, 1, memory_order_relaxed);
	return sheaf;
}

/* On failure the sheaf is as it was. */
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf **sheaf, unsigned n)
{
	struct slab_sheaf *larger;

	if (!sheaf || !*sheaf)
		return -EINVAL;
	if (n <= (*sheaf)->capacity)
		return fill_to(*sheaf, gfp, n) ? 0 : -ENOMEM;
	larger = new_sheaf(s, gfp, n);
	if (!larger)
		return -ENOMEM;
	larger->size = (*sheaf)->size;
	memcpy(larger->objects, (*sheaf)->objects, larger->size * sizeof(void *));
	if (!fill_to(larger, gfp, n)) {
		do_kfree(larger);
		return -ENOMEM;
	}
	do_kfree(*sheaf);
	*sheaf = larger;
	return 0;
}

void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	void *object;

	if (unlikely(!sheaf->size)) {
		warn("kmem_cache_alloc_from_sheaf: the sheaf of cache %s is empty", s->name);
		return NULL;
	}
	object = sheaf->objects[--sheaf->size];
	return gfp & __GFP_ZERO ? memset(object, 0, s->object_size) : object;
}

void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t gfp, struct slab_sheaf *sheaf)
{
	(void)gfp;
	atomic_fetch_add_explicit(&s->depot.sheaf_return, 1, memory_order_relaxed);
	empty_sheaf(sheaf);
	do_kfree(sheaf);
}

unsigned kmem_cache_sheaf_size(struct slab_sheaf *sheaf)
{
	return sheaf->size;
}
