/* SPDX-License-Identifier: MIT */
/*
 * The headers from C++17: overloads instead of macros by argument count.
 */
#include <linux/mm.h>
#include <linux/mempool.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <cstdio>

struct point {
	int x, y;
};

static int failures, count;

static void check(bool good, const char *what)
{
	std::printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
	failures += !good;
}

int main()
{
	kmem_cache_args args = {};
	kmem_cache *s = kmem_cache_create("args", sizeof(point), &args, 0);
	kmem_cache *t = kmem_cache_create("five", sizeof(point), 8u, 0, nullptr);
	kmem_cache *u = kmem_cache_create("six", sizeof(point), 0, 0, nullptr, nullptr);
	kmem_cache *v = KMEM_CACHE(point, 0);
	mempool_t *pool = mempool_create_slab_pool(2, v);
	void *p;

	check(s && t && u && v && pool, "caches and a pool");
	check(mempool_resize(pool, 5, GFP_KERNEL) == 0, "mempool_resize of 2.6");
	point *q = kzalloc_obj(point);
	check(q && !q->x, "kzalloc_obj");
	{
		void *r __free(kfree) = kmalloc(10, GFP_KERNEL);
		check(r, "__free(kfree)");
	}
	p = kvrealloc(kvmalloc(10, GFP_KERNEL), 10, 6000000, GFP_KERNEL);
	check(is_vmalloc_addr(p), "kvrealloc with four arguments");
	kvfree(p);
	kfree(q);
	mempool_destroy(pool);
	std::printf("1..%d\n", count);
	return failures != 0;
}
