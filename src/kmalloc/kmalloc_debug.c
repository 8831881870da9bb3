/* SPDX-License-Identifier: MIT */
/*
 * kmalloc under slab_debug: caches of the program's kind, named as the kernel's are, so that the
 * option reaches them by name.  malloc keeps its own caches.
 *
 * Locks: none; a cache that two threads made at once is destroyed again.
 */
#include "kmalloc/api.h"

#include <string.h>

#include "lib/bits.h"
#include "lib/fmt.h"
#include "slab/debug.h"

static _Atomic(struct kmem_cache *) caches[NR_KMALLOC_CLASSES + 1];

static struct kmem_cache *make_cache(unsigned class)
{
	struct kmem_cache *model = &kmalloc_caches[class], *s, *none = NULL;
	struct kmem_cache_args args = { .align = (unsigned)natural_align(model->size) };

	args.align = min(args.align, (unsigned)PAGE_SIZE);
	s = do_cache_create(model->name, model->size, &args, SLAB_KMALLOC | SLAB_NO_MERGE);
	/* acq_rel: pairs with the acquire in cache_for */
	if (!s || atomic_compare_exchange_strong_explicit(&caches[class], &none, s,
							  memory_order_acq_rel,
							  memory_order_acquire))
		return s;
	do_cache_destroy(s);
	return none;
}

static struct kmem_cache *cache_for(unsigned class)
{
	struct kmem_cache *s = atomic_load_explicit(&caches[class], memory_order_acquire);

	return s ? s : make_cache(class);
}

void *kmalloc_debug_alloc(size_t size, size_t align, gfp_t gfp)
{
	unsigned class = size_class_aligned(size, align);
	struct kmem_cache *s = class && align <= PAGE_SIZE ? cache_for(class) : NULL;
	struct page *page;
	void *object;

	KEEP_FRAME();
	if (s) {
		object = do_cache_alloc(s, gfp);
		if (object)
			set_request_size(s, object, size);
		return object;
	}
	page = do_alloc_pages(gfp, order_of(pages_of(size)), (unsigned)pages_of(size));
	return page ? (void *)page_to_addr(page) : NULL;
}
