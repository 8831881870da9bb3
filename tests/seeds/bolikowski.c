/* SPDX-License-Identifier: MIT */
/*
 * A Polish text of 2001 on the slab allocator of Linux 2.4: caches, slabs, the cache of caches, the
 * table of general caches in pairs (normal and DMA), growing, shrinking and reaping.
 */
#define KMALLOC_API 24

#include <linux/mm.h>
#include <linux/slab.h>

#include "seed.h"

static void table_of_caches(void)
{
	const cache_sizes_t *size;
	int pairs = 0, low = 1;

	for (size = cache_sizes; size->cs_size; size++) {
		void *normal = kmem_cache_alloc(size->cs_cachep, SLAB_KERNEL);
		void *dma = kmem_cache_alloc(size->cs_dmacachep, SLAB_KERNEL | SLAB_DMA);

		pairs += normal && dma && size->cs_cachep != size->cs_dmacachep;
		low &= (unsigned long)dma < 1ul << 32;
		kmem_cache_free(size->cs_cachep, normal);
		kmem_cache_free(size->cs_dmacachep, dma);
	}
	check(pairs == 13, "pairs of caches for 32, 64, ... 131072 bytes");
	check(low, "objects of the DMA caches can be reached by DMA");
}

static void kmalloc_chooses(void)
{
	void *p = kmalloc(100, GFP_KERNEL), *q = kmalloc(100, GFP_KERNEL | GFP_DMA);
	kmem_cache_t *general = kmem_find_general_cachep(100, GFP_KERNEL);

	check(p && q && general, "kmalloc finds a cache by itself");
	check(kmem_cache_size(general) >= 100, "it is large enough");
	check((unsigned long)q < 1ul << 32, "GFP_DMA chooses the other one of the pair");
	kfree(p);
	kfree(q);
}

static void grow_shrink_reap(void)
{
	kmem_cache_t *cache = kmem_cache_create("tafle", 500, 0, SLAB_NO_MERGE, NULL, NULL);
	void *object[200];
	int i, reaped = 0;

	check(!kmem_cache_alloc(cache, SLAB_NO_GROW | SLAB_ATOMIC), "an empty cache has nothing");
	check(kmem_cache_grow(cache, SLAB_KERNEL), "kmem_cache_grow adds a slab");
	object[0] = kmem_cache_alloc(cache, SLAB_NO_GROW | SLAB_ATOMIC);
	check(object[0] != NULL, "now it has");
	for (i = 1; i < 200; i++)
		object[i] = kmem_cache_alloc(cache, SLAB_KERNEL);
	for (i = 0; i < 200; i++)
		kmem_cache_free(cache, object[i]);
	check(kmem_cache_shrink(cache) == 0, "kmem_cache_shrink frees all slabs");
	for (i = 0; i < 30; i++)
		kmem_cache_grow(cache, SLAB_KERNEL);
	for (i = 0; i < 10; i++)
		reaped += kmem_cache_reap(GFP_KERNEL);
	check(reaped > 0, "kmem_cache_reap gives free slabs back");
	check(kmem_cache_destroy(cache) == 0, "destroyed");
}

int main(void)
{
	kmem_cache_init();
	kmem_cache_sizes_init();
	table_of_caches();
	kmalloc_chooses();
	grow_shrink_reap();
	check(!strcmp(kmem_cache_name(&cache_cache), "kmem_cache"), "caches are in cache_cache");
	return done();
}
