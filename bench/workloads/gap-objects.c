/* SPDX-License-Identifier: MIT */
/*
 * gap-objects.c: one kind of object, four ways to get it.
 *
 * Stands for: a program that has the choice: objects of 192 bytes, 64 live, replaced in turn, of
 * which an expensive constructor initialises two thirds. objects-malloc constructs each time;
 * objects-list keeps freed objects on a hand-written list, constructed; objects-cache uses
 * kmem_cache_alloc with the constructor; objects-pool a mempool on top of a cache, constructing each
 * time. The latter two exist under libkmalloc only.
 * Literature: Bonwick, "The slab allocator: an object-caching kernel memory allocator", 1994.
 * Does not show: what the hand-written list costs in memory: it never gives any back.
 */
#include <string.h>

#include "worker/work.h"

enum { OBJECT = 192, CONSTRUCTED = 128, LIVE = 64, OPS = 400000, GFP_KERNEL_ = 0xcc0 };

struct kmem_cache;

struct kind {
	void *(*get)(struct kind *k);
	void (*put)(struct kind *k, void *p);
	void *list;
	struct kmem_cache *cache;
	void *pool;
	void *(*cache_alloc)(struct kmem_cache *, unsigned);
	void (*cache_free)(struct kmem_cache *, void *);
	void *(*pool_alloc)(void *, unsigned);
	void (*pool_free)(void *, void *);
	void *live[LIVE];
};

static void construct(void *p)
{
	memset((char *)p + OBJECT - CONSTRUCTED, 0x5a, CONSTRUCTED);
}

static void *get_malloc(struct kind *k)
{
	void *p = malloc(OBJECT);

	(void)k;
	if (p)
		construct(p);
	return p;
}

static void put_malloc(struct kind *k, void *p)
{
	(void)k;
	free(p);
}

static void *get_list(struct kind *k)
{
	void *p = k->list;

	if (!p)
		return get_malloc(k);
	k->list = *(void **)p;
	return p;
}

static void put_list(struct kind *k, void *p)
{
	*(void **)p = k->list;
	k->list = p;
}

static void *get_cache(struct kind *k)
{
	return k->cache_alloc(k->cache, GFP_KERNEL_);
}

static void put_cache(struct kind *k, void *p)
{
	k->cache_free(k->cache, p);
}

/* A pool cannot stand on a cache with a constructor: what comes back may be of its reserve. */
static void *get_pool(struct kind *k)
{
	void *p = k->pool_alloc(k->pool, GFP_KERNEL_);

	if (p)
		construct(p);
	return p;
}

static void put_pool(struct kind *k, void *p)
{
	k->pool_free(p, k->pool);
}

static struct kind *make(struct run *run, void *(*get)(struct kind *),
			 void (*put)(struct kind *, void *))
{
	struct kind *k = work_map(sizeof(*k));

	k->get = get;
	k->put = put;
	run->state = k;
	return k;
}

static void malloc_setup(struct run *run)
{
	make(run, get_malloc, put_malloc);
}

static void list_setup(struct run *run)
{
	make(run, get_list, put_list);
}

static work_symbol_fn *symbol(const char *name)
{
	work_symbol_fn *p = work_symbol(name);

	if (!p)
		work_skip("this allocator has no kmem_cache");
	return p;
}

typedef struct kmem_cache *create_fn(const char *, unsigned, unsigned, unsigned, void (*)(void *));
typedef void *alloc_fn(unsigned, void *);
typedef void free_fn(void *, void *);
typedef void *create_pool_fn(int, alloc_fn *, free_fn *, void *);

static struct kind *make_cache(struct run *run, void (*constructor)(void *))
{
	struct kind *k = make(run, get_cache, put_cache);
	create_fn *create = (create_fn *)symbol("kmem_cache_create");

	k->cache_alloc = (void *(*)(struct kmem_cache *, unsigned))symbol("kmem_cache_alloc");
	k->cache_free = (void (*)(struct kmem_cache *, void *))symbol("kmem_cache_free");
	k->cache = create("bench-object", OBJECT, 0, 0, constructor);
	if (!k->cache)
		work_fail("kmem_cache_create");
	return k;
}

static void cache_setup(struct run *run)
{
	make_cache(run, construct);
}

static void pool_setup(struct run *run)
{
	struct kind *k = make_cache(run, NULL);
	create_pool_fn *create = (create_pool_fn *)symbol("mempool_create");

	k->get = get_pool;
	k->put = put_pool;
	k->pool_alloc = (void *(*)(void *, unsigned))symbol("mempool_alloc");
	k->pool_free = (void (*)(void *, void *))symbol("mempool_free");
	k->pool = create(LIVE, (alloc_fn *)symbol("mempool_alloc_slab"),
			 (free_fn *)symbol("mempool_free_slab"), k->cache);
	if (!k->pool)
		work_fail("mempool_create");
}

static void check(const char *p)
{
	if (!p)
		work_fail("no object");
	if (p[OBJECT - CONSTRUCTED] != 0x5a || p[OBJECT - 1] != 0x5a)
		work_fail("object %p is not constructed", (const void *)p);
}

static uint64_t objects_slice(struct run *run)
{
	struct kind *k = run->state;
	size_t n = work_count(run, OPS, 1000);

	for (size_t i = 0; i < n; i++) {
		if (k->live[i % LIVE])
			k->put(k, k->live[i % LIVE]);
		k->live[i % LIVE] = k->get(k);
		check(k->live[i % LIVE]);
	}
	return n;
}

#define OBJECTS(how, text)						\
	const struct workload gap_objects_##how = {			\
		.name = "objects-" #how, .family = "gap",		\
		.unit = "pair", .slices = 9, .what = text,		\
		.setup = how##_setup, .slice = objects_slice,		\
	}

OBJECTS(malloc, "constructed objects by malloc and free");
OBJECTS(list, "constructed objects by a hand-written free list");
OBJECTS(cache, "constructed objects by kmem_cache (libkmalloc only)");
OBJECTS(pool, "constructed objects by mempool (libkmalloc only)");
