/* SPDX-License-Identifier: MIT */
/*
 * Debugging of caches.
 */
#include "slab/debug.h"

void *(*slab_debug_kmalloc)(size_t size, size_t align, unsigned gfp);

void slab_debug_free(struct kmem_cache *s, void *object, const void *caller)
{
	(void)s; (void)object; (void)caller;
}

size_t slab_debug_layout(slab_flags_t flags, size_t size, size_t align, bool ctor,
			 uint32_t *offset)
{
	(void)flags; (void)align; (void)ctor; (void)offset;
	return size;
}

void slab_debug_construct(struct kmem_cache *s, struct page *slab)
{
	(void)s; (void)slab;
}

void *slab_debug_alloc(struct kmem_cache *s, const void *caller)
{
	(void)s; (void)caller;
	return NULL;
}

unsigned slab_debug_validate(struct kmem_cache *s)
{
	(void)s;
	return 0;
}

slab_flags_t slab_debug_option(const char *name, slab_flags_t flags)
{
	(void)name;
	return flags;
}

void slab_debug_list_live(struct kmem_cache *s)
{
	(void)s;
}

void slab_debug_print_tracks(struct kmem_cache *s, const void *object)
{
	(void)s; (void)object;
}
