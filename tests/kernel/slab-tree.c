/* SPDX-License-Identifier: MIT */
/*
 * Writes its caches below the folder that it is told, for the kernel's slabinfo, and prints what
 * slabinfo has to find there: name, objects in use, their size, flags.
 */
#include <linux/slab.h>
#include <kmalloc/kmalloc.h>

#include <stdio.h>
#include <stdlib.h>

struct expected {
	const char *name;
	unsigned int size;
	slab_flags_t flags;
	unsigned int allocated, freed;
	const char *letters;
};

static const struct expected caches[] = {
	{ "tree-plain", 200, SLAB_NO_MERGE, 1000, 0, "" },
	{ "tree-freed", 72, SLAB_NO_MERGE, 5000, 4900, "" },
	{ "tree-lines", 192, SLAB_NO_MERGE | SLAB_HWCACHE_ALIGN | SLAB_RECLAIM_ACCOUNT, 10, 7, "Aa" },
	{ "tree-debug", 64, SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON |
	  SLAB_STORE_USER, 300, 50, "PZFU" },
	{ "tree-low", 128, SLAB_NO_MERGE | SLAB_CACHE_DMA, 20, 0, "d" },
};

#define MOST	5000

static void use(const struct expected *e)
{
	struct kmem_cache *s = kmem_cache_create(e->name, e->size, 0, e->flags, NULL);
	static void *objects[MOST];
	unsigned int i;

	if (!s)
		exit(1);
	for (i = 0; i < e->allocated; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (i = 0; i < e->freed; i++)
		kmem_cache_free(s, objects[i]);
	printf("%s %u %u %s\n", e->name, e->allocated - e->freed, e->size, e->letters);
}

/* Two that are alike share one, which has an alias then. */
static void use_merged(void)
{
	struct kmem_cache *a = kmem_cache_create("tree-one", 1000, 0, 0, NULL);
	struct kmem_cache *b = kmem_cache_create("tree-two", 1000, 0, 0, NULL);

	if (!a || a != b || !kmem_cache_alloc(a, GFP_KERNEL) || !kmem_cache_alloc(b, GFP_KERNEL))
		exit(1);
	printf("tree-one 2 1000 *\n");
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(caches) / sizeof(caches[0]); i++)
		use(&caches[i]);
	use_merged();
	if (argc < 2 || kmalloc_slab_tree(argv[1])) {
		perror("kmalloc_slab_tree");
		return 1;
	}
	fflush(stdout);
	kmalloc_slabinfo(2, 21);
	return 0;
}
