/* SPDX-License-Identifier: MIT */
/*
 * What slub_kunit.c looks at of a cache: the first two members of the library's struct kmem_cache.
 */
#ifndef KUNIT_MM_SLAB_H
#define KUNIT_MM_SLAB_H

#include <linux/slab.h>

struct kmem_cache {
	slab_flags_t flags;
	unsigned int offset;
};

#define __kmalloc_cache_noprof(s, gfp, size)	kmem_cache_alloc_request(s, gfp, size)

#endif
