/* SPDX-License-Identifier: MIT */
/*
 * The counters with SLUB's names: what a program took and gave back adds up to what it has, to the
 * object, whichever ways the objects went, also over the ends of threads and of caches.
 */
#include "unit.h"

#include "kmalloc/heap.h"
#include "mm/reclaim.h"
#include "observe/stats.h"

#define KMALLOC_BUILDING
#include <linux/slab.h>

static void setup(void)
{
	heap_free(heap_alloc(1));
	reclaim_init(3600000);		/* no epoch ends by itself */
}

TestSuite(counts, .init = setup, .timeout = 120);

static struct cache_stats stats_of(struct kmem_cache *s)
{
	struct thread_rounds rounds;
	struct cache_stats stats;

	cr_assert(thread_rounds_get(&rounds));
	cr_assert(cache_stats_get(s, &rounds, &stats));
	return stats;
}

static size_t taken(const struct cache_stats *c)
{
	return c->alloc_fastpath + c->counts.alloc_slowpath;
}

static size_t given_back(const struct cache_stats *c)
{
	return c->free_fastpath + c->counts.free_slowpath;
}

static void expect_sums(const struct cache_stats *c, size_t live)
{
	cr_expect_eq(c->live, live, "%s: live %zu, not %zu", c->name, c->live, live);
	cr_expect_eq(taken(c) - given_back(c), live, "%s: taken %zu, given back %zu, live %zu",
		     c->name, taken(c), given_back(c), live);
	cr_expect_eq(c->counts.alloc_slab - c->counts.free_slab, c->slabs);
}

/* What is put back into the magazine that it was taken from is missed on both sides. */
static void expect_near(size_t counted, size_t real)
{
	cr_expect(counted <= real && real - counted <= MAX_ROUNDS, "%zu, not %zu", counted, real);
}

enum { MANY = 5000 };
static void *objects[MANY];

/* Where nothing is put back in between, each one is seen. */
Test(counts, each_object_of_a_size_class)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(64)];
	struct cache_stats before = stats_of(s), with, after;

	for (int i = 0; i < MANY; i++)
		objects[i] = heap_alloc(64);
	with = stats_of(s);
	expect_sums(&with, before.live + MANY);
	cr_expect_eq(taken(&with), taken(&before) + MANY);
	cr_expect_eq(given_back(&with), given_back(&before));
	cr_expect(with.counts.sheaf_refill >= before.counts.sheaf_refill + MANY);
	for (int i = 0; i < MANY; i++)
		heap_free(objects[i]);
	after = stats_of(s);
	expect_sums(&after, before.live);
	expect_near(taken(&after), taken(&with));
	expect_near(given_back(&after), given_back(&with) + MANY);
}

Test(counts, all_ways_of_a_cache)
{
	struct kmem_cache *s = kmem_cache_create("ways", 40, 0, SLAB_NO_MERGE, NULL);
	struct cache_stats c;

	cr_assert(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, objects) == 1000);
	c = stats_of(s);
	expect_sums(&c, 1000);
	cr_expect_eq(c.counts.alloc_slowpath, 1000);
	for (int i = 1000; i < 2000; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 2000; i < 2500; i++)
		objects[i] = kmem_cache_alloc(s, GFP_ATOMIC);
	c = stats_of(s);
	expect_sums(&c, 2500);
	for (int i = 0; i < 2500; i += 2)
		kmem_cache_free(s, objects[i]);
	c = stats_of(s);
	expect_sums(&c, 1250);
	kmem_cache_shrink(s);
	c = stats_of(s);
	expect_sums(&c, 1250);
	cr_expect(c.counts.sheaf_flush > 0);
	for (int i = 1; i < 2500; i += 2)
		kmem_cache_free(s, objects[i]);
	kmem_cache_shrink(s);
	c = stats_of(s);
	expect_sums(&c, 0);
	cr_expect(c.slabs == 0 && c.counts.free_slab > 0);
	cr_expect_eq(c.counts.sheaf_flush - c.counts.sheaf_refill, c.free_fastpath - c.alloc_fastpath);
	kmem_cache_destroy(s);
}

static void *take_and_exit(void *arg)
{
	for (int i = 0; i < 1000; i++)
		objects[i] = kmem_cache_alloc(arg, GFP_KERNEL);
	for (int i = 0; i < 300; i++)
		kmem_cache_free(arg, objects[i]);
	return NULL;
}

Test(counts, a_thread_leaves_its_own_behind)
{
	struct kmem_cache *s = kmem_cache_create("left", 200, 0, SLAB_NO_MERGE, NULL);
	struct cache_stats c;
	pthread_t thread;

	cr_assert(pthread_create(&thread, NULL, take_and_exit, s) == 0);
	pthread_join(thread, NULL);
	c = stats_of(s);
	expect_sums(&c, 700);
	expect_near(taken(&c), 1000);
}

/* The number of a cache is used again, what was counted under it is not. */
Test(counts, begin_with_the_cache)
{
	struct kmem_cache *s;
	struct cache_stats c;
	unsigned id;

	s = kmem_cache_create("first", 96, 0, SLAB_NO_MERGE, NULL);
	id = s->id;
	for (int i = 0; i < MANY; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	for (int i = 0; i < MANY; i++)
		kmem_cache_free(s, objects[i]);
	kmem_cache_destroy(s);
	s = kmem_cache_create("second", 96, 0, SLAB_NO_MERGE, NULL);
	cr_assert(s->id == id);
	c = stats_of(s);
	expect_sums(&c, 0);
	cr_expect(taken(&c) == 0 && c.barn_get == 0 && c.barn_put == 0 && c.sheaf_alloc == 0);
	kmem_cache_destroy(s);
}

Test(counts, exchanges_with_the_depot)
{
	static struct kmem_cache s;
	struct magazine *mag[3];
	struct cache_stats c;
	void *object;

	cr_assert(cache_init(&s, "exchanged", 128, 16, 0));
	s.max_rounds = 20;
	s.depot.max_full = 2;
	for (int i = 0; i < 3; i++) {
		mag[i] = magazine_new(&s);
		cr_assert(slab_refill(&s, &object, 1) == 1);
		magazine_set_capacity(mag[i], 20);
		magazine_bottom(mag[i])[0] = object;
		magazine_set_rounds(mag[i], 1);
		depot_put_full(&s, mag[i]);
	}
	c = stats_of(&s);
	cr_expect(c.sheaf_alloc == 3 && c.barn_put == 2 && c.barn_put_fail == 1);
	cr_expect(c.counts.sheaf_refill == 3 && c.counts.sheaf_flush == 1);
	for (int i = 0; i < 3; i++)
		mag[i] = depot_get_full(&s, NULL);
	cr_expect(mag[0] && mag[1] && !mag[2]);
	c = stats_of(&s);
	cr_expect(c.barn_get == 2 && c.barn_get_fail == 1);
	magazine_delete(&s, mag[0]);
	c = stats_of(&s);
	cr_expect(c.sheaf_free == 1);
}

Test(counts, prefilled_sheaves)
{
	struct kmem_cache *s = kmem_cache_create("prefilled", 64, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *small = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);
	struct slab_sheaf *large = kmem_cache_prefill_sheaf(s, GFP_KERNEL, s->max_rounds + 1u);
	struct cache_stats c;

	cr_assert(small && large && kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, small));
	kmem_cache_return_sheaf(s, GFP_KERNEL, small);
	c = stats_of(s);
	expect_sums(&c, s->max_rounds + 2u);
	cr_expect(c.sheaf_prefill == 1 && c.sheaf_prefill_oversize == 1 && c.sheaf_return == 1);
}

struct churner {
	struct kmem_cache *s;
	uint64_t seed;
	size_t kept;
};

static void *churn(void *arg)
{
	struct churner *c = arg;
	void *mine[500] = { NULL };

	for (int i = 0; i < 100000; i++) {
		unsigned k = (unsigned)(random_next(&c->seed) % 500);

		if (mine[k])
			kmem_cache_free(c->s, mine[k]);
		mine[k] = mine[k] ? NULL : kmem_cache_alloc(c->s, GFP_KERNEL);
	}
	for (unsigned k = 0; k < 500; k++)
		c->kept += mine[k] != NULL;
	return NULL;
}

static void *look(void *arg)
{
	struct churner *c = arg;

	for (int i = 0; i < 2000; i++) {
		struct cache_stats now = stats_of(c->s);

		/* Off by what happens meanwhile, but never absurd. */
		cr_assert(taken(&now) < 1000000 && given_back(&now) < 1000000);
		cr_assert(now.live + now.in_threads + now.in_depot + now.free == now.objects);
	}
	return NULL;
}

Test(counts, of_several_threads)
{
	enum { THREADS = 4 };
	struct kmem_cache *s = kmem_cache_create("churned", 72, 0, SLAB_NO_MERGE, NULL);
	struct churner churners[THREADS + 1];
	pthread_t threads[THREADS + 1];
	struct cache_stats c;
	size_t kept = 0;

	for (unsigned i = 0; i <= THREADS; i++) {
		churners[i] = (struct churner){ s, i + 1, 0 };
		cr_assert(pthread_create(&threads[i], NULL, i ? churn : look, &churners[i]) == 0);
	}
	for (unsigned i = 0; i <= THREADS; i++) {
		pthread_join(threads[i], NULL);
		kept += churners[i].kept;
	}
	c = stats_of(s);
	expect_sums(&c, kept);
}
