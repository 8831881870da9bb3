/* SPDX-License-Identifier: MIT */
/*
 * A Polish course on Linux 2.2: kmalloc up to 32 pages, two priorities, vmalloc for anything
 * larger, pages by order, and a slab cache with constructor and destructor.
 */
#define KMALLOC_API 22

#include <linux/malloc.h>
#include <linux/mm.h>

#include "seed.h"

struct request {
	int sector, state;
};

static int constructed, destructed;

static void request_ctor(void *object, kmem_cache_t *cache, unsigned long flags)
{
	struct request *r = object;

	(void)cache;
	if (flags & SLAB_CTOR_CONSTRUCTOR)
		r->state = 7;
	constructed++;
}

static void request_dtor(void *object, kmem_cache_t *cache, unsigned long flags)
{
	(void)object;
	(void)cache;
	(void)flags;
	destructed++;
}

static void kmalloc_and_vmalloc(void)
{
	char *p = kmalloc(31 * 4096, GFP_KERNEL), *q = kmalloc(100, GFP_ATOMIC), *v;

	check(p && q, "kmalloc with both priorities");
	memset(p, 1, 31 * 4096);
	kfree(p);
	kfree(q);
	check(!kmalloc(32 * 4096 + 1, GFP_KERNEL), "no more than 32 pages");
	v = vmalloc(20 << 20);
	check(v != NULL, "vmalloc: an area as large as one likes");
	memset(v, 1, 20 << 20);
	vfree(v);
}

static void pages_by_order(void)
{
	unsigned long p = __get_free_pages(GFP_KERNEL, 3);

	check(p && !(p % 4096), "2^3 pages");
	memset((void *)p, 1, 8 * 4096);
	__free_pages(virt_to_page(p), 3);
	p = __get_free_pages(GFP_ATOMIC, 0);
	free_pages(p, 0);
}

static void slab_cache(void)
{
	kmem_cache_t *cache = kmem_cache_create("request", sizeof(struct request), 0,
						SLAB_HWCACHE_ALIGN, request_ctor, request_dtor);
	struct request *r = kmem_cache_alloc(cache, SLAB_KERNEL);

	check(cache && r, "a cache and an object");
	check(constructed > 1 && r->state == 7, "the constructor ran for a whole slab of objects");
	r->sector = 9;
	__kmem_cache_free(cache, r);
	check(!destructed, "the destructor does not run when an object is freed");
	check(kmem_cache_destroy(cache) == 0, "an empty cache can be destroyed");
	check(destructed == constructed, "the destructor ran before the memory went back");
}

int main(void)
{
	kmalloc_and_vmalloc();
	pages_by_order();
	slab_cache();
	return done();
}
