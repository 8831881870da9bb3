/* SPDX-License-Identifier: MIT */
/*
 * Spanish notes on chapter 8 of Linux Device Drivers, third edition (Linux 2.6): flags, zones,
 * lookaside caches, memory pools that serve from their reserve when memory is refused, and pages.
 */
#define KMALLOC_API 26

#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <sys/resource.h>

#include "seed.h"

#define RESERVE	20

struct command {
	char bytes[20000];
};

static void flags_and_zones(void)
{
	void *dma = kmalloc(1000, GFP_KERNEL | __GFP_DMA), *high;

	high = (void *)__get_free_pages(GFP_KERNEL | __GFP_HIGHMEM, 1);
	check(dma && (unsigned long)dma < 1ul << 32, "__GFP_DMA: memory that devices reach");
	check(high != NULL, "__GFP_HIGHMEM is accepted");
	kfree(dma);
	free_pages((unsigned long)high, 1);
}

static void sizes_are_rounded_up(void)
{
	void *p = kmalloc(1025, GFP_KERNEL);

	check(ksize(p) >= 1025 && ksize(p) <= 2048, "more than asked for, at most twice as much");
	kfree(p);
}

static void pages(void)
{
	unsigned long zeroed, plain, many;

	plain = __get_free_page(GFP_KERNEL);
	memset((void *)plain, 1, PAGE_SIZE);
	free_page(plain);
	zeroed = get_zeroed_page(GFP_KERNEL);
	many = __get_free_pages(GFP_KERNEL, 3);
	check(zeroed && !*(long *)zeroed, "get_zeroed_page");
	check(many && !(many % PAGE_SIZE), "order 3: eight pages in a row");
	free_page(zeroed);
	free_pages(many, 3);
}

static void refuse_memory(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_DATA, &limit);
	while (kmalloc(20000, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN))
		;
}

static void emergency_reserve(void)
{
	kmem_cache_t *cache = kmem_cache_create("command", sizeof(struct command), 0, 0, NULL, NULL);
	mempool_t *pool = mempool_create(RESERVE, mempool_alloc_slab, mempool_free_slab, cache);
	static struct command *held[1000];
	int n = 0, i;

	check(cache && pool && mempool_resize(pool, RESERVE, GFP_KERNEL) == 0, "a pool on a cache");
	refuse_memory();
	while (n < 1000 && (held[n] = mempool_alloc(pool, GFP_NOWAIT)))
		n++;
	printf("# %d elements with no memory left, %d of them promised\n", n, RESERVE);
	check(n >= RESERVE, "the reserve serves when memory is refused");
	check(!kmem_cache_alloc(cache, GFP_NOWAIT), "and there really is none");
	for (i = 0; i < n; i++)
		mempool_free(held[i], pool);
	held[0] = mempool_alloc(pool, GFP_KERNEL);
	check(held[0] != NULL, "what came back is there for the next one");
	mempool_free(held[0], pool);
	mempool_destroy(pool);
	check(kmem_cache_destroy(cache) == 0, "pool and cache are gone");
}

int main(void)
{
	flags_and_zones();
	sizes_are_rounded_up();
	pages();
	emergency_reserve();
	return done();
}
