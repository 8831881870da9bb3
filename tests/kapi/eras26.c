/* SPDX-License-Identifier: MIT */
/*
 * The interface of 2.6, from a file compiled for it.
 */
#define KMALLOC_API 26

#include "kapi.h"

TestSuite(era26, .timeout = 120);

static int built, razed;

static void build(void *object, kmem_cache_t *s, unsigned long flags)
{
	built += object && s && flags & SLAB_CTOR_CONSTRUCTOR;
}

static void raze(void *object, kmem_cache_t *s, unsigned long flags)
{
	razed += object && s && !flags;
}

Test(era26, caches)
{
	kmem_cache_t *s = kmem_cache_create("of 26", 100, 64, SLAB_RECLAIM_ACCOUNT, build, raze);
	void *p = kmem_cache_alloc(s, SLAB_KERNEL);

	cr_assert(is_aligned(p, 64), "the third argument is alignment now");
	cr_assert_eq(kmem_cache_destroy(s), 1);
	kmem_cache_free(s, p);
	cr_assert_eq(kmem_cache_destroy(s), 0);
	cr_assert(built && built == razed);
}

Test(era26, names)
{
	void *p = kmalloc(MIB, GFP_KERNEL | __GFP_REPEAT | __GFP_COLD);

	cr_assert(p, "no limit of 128 KiB");
	kzfree(p);
	cr_assert(gfpflags_allow_blocking(__GFP_WAIT));
	cr_assert_not(GFP_KERNEL & __GFP_HIGH);
	p = kvrealloc(kvmalloc(100, GFP_KERNEL), 100, 200, GFP_KERNEL);
	cr_assert_geq(ksize(p), 200);
	kvfree(p);
}

static int left = 1000;

static int shrink(int nr_to_scan, gfp_t gfp)
{
	left -= gfp ? nr_to_scan : 0;
	return left;
}

static struct shrinker own = { .shrink = shrink, .seeks = DEFAULT_SEEKS };

Test(era26, shrinkers)
{
	cr_assert_eq(register_shrinker(&own), 0);
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_lt(left, 1000);
	unregister_shrinker(&own);
}
