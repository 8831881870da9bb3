/* SPDX-License-Identifier: MIT */
/*
 * kmem_cache and mempool against a model: caches of any size, alignment and flags come and go,
 * objects come out aligned, constructed or zeroed and keep their marks, pools give their reserve.
 */
#include <linux/mempool.h>
#include <linux/slab.h>

#include "fuzz.h"

#define CACHES	6
#define OBJECTS	64
#define BULK	16
#define PATTERN	0x3c

static struct cache {
	struct kmem_cache *s;
	size_t size, align;
	bool constructed;
	void *object[OBJECTS];
	uint64_t key[OBJECTS];
	mempool_t *pool;
	void *element[OBJECTS];
} cache[CACHES];

static uint64_t next_key;

/* One constructor a size would be needed: each writes the first byte only. */
static void constructor(void *object)
{
	*(unsigned char *)object = PATTERN;
}

static void came(struct cache *c, unsigned i, void *p, bool zero)
{
	FUZZ_MUST(p && !((uintptr_t)p & (c->align - 1)), "%p is not aligned to %zu", p, c->align);
	if (c->constructed)
		FUZZ_MUST(*(unsigned char *)p == PATTERN, "%p is not constructed", p);
	else if (zero)
		FUZZ_MUST(zero_bytes(p, c->size), "%p is not zero", p);
	c->object[i] = p;
	c->key[i] = ++next_key * 0x9e3779b97f4a7c15u;
	if (!c->constructed)
		mark(p, c->size, c->key[i]);
}

static void goes(struct cache *c, unsigned i)
{
	if (c->constructed)
		FUZZ_MUST(*(unsigned char *)c->object[i] == PATTERN, "a constructed object changed");
	else
		FUZZ_MUST(marked(c->object[i], c->size, c->key[i], c->size), "%p is damaged",
			  c->object[i]);
}

static void cache_create(struct cache *c, struct bytes *in, unsigned op)
{
	static const char *const names[CACHES] = { "fuzz0", "fuzz1", "fuzz2", "fuzz3", "fuzz4", "fuzz5" };
	const unsigned flags = (op & 0x10 ? SLAB_HWCACHE_ALIGN : 0) | (op & 0x20 ? SLAB_NO_MERGE : 0);

	c->size = 1 + take_size(in, op & 0x40 ? 15 : 10);
	c->align = (size_t)8 << take8(in) % 7;
	c->constructed = op & 0x80;
	c->s = kmem_cache_create(names[c - cache], (unsigned)c->size, (unsigned)c->align, flags,
				 c->constructed ? constructor : NULL);
	FUZZ_MUST(c->s && kmem_cache_size(c->s) >= c->size, "no cache of %zu bytes", c->size);
}

static void object_free(struct cache *c, unsigned i)
{
	if (!c->object[i])
		return;
	goes(c, i);
	kmem_cache_free(c->s, c->object[i]);
	c->object[i] = NULL;
}

static void pool_destroy(struct cache *c)
{
	if (!c->pool)
		return;
	for (unsigned i = 0; i < OBJECTS; i++)
		if (c->element[i])
			mempool_free(c->element[i], c->pool);
	memset(c->element, 0, sizeof(c->element));
	mempool_destroy(c->pool);
	c->pool = NULL;
}

static void cache_destroy(struct cache *c)
{
	if (!c->s)
		return;
	pool_destroy(c);
	for (unsigned i = 0; i < OBJECTS; i++)
		object_free(c, i);
	kmem_cache_destroy(c->s);
	c->s = NULL;
}

static void bulk_alloc(struct cache *c, unsigned first)
{
	void *p[BULK];
	unsigned i, n = 0;

	for (i = first; i < OBJECTS && n < BULK && !c->object[i]; i++)
		n++;
	if (!n)
		return;
	FUZZ_MUST(kmem_cache_alloc_bulk(c->s, GFP_KERNEL, n, p) == (int)n, "no %u objects", n);
	for (i = 0; i < n; i++)
		came(c, first + i, p[i], false);
}

static void bulk_free(struct cache *c, unsigned first)
{
	void *p[BULK];
	unsigned i, n = 0;

	for (i = first; i < OBJECTS && n < BULK && c->object[i]; i++) {
		goes(c, i);
		p[n++] = c->object[i];
		c->object[i] = NULL;
	}
	if (n)
		kmem_cache_free_bulk(c->s, n, p);
}

static void pool_operation(struct cache *c, struct bytes *in, unsigned op)
{
	unsigned i = take8(in) % OBJECTS, n = 1 + take8(in) % 20;

	if (!c->pool) {
		c->pool = mempool_create_slab_pool((int)n, c->s);
		FUZZ_MUST(c->pool, "no pool");
	} else if (op & 0x10) {
		FUZZ_MUST(!mempool_resize(c->pool, (int)n), "mempool_resize to %u", n);
	} else if (op & 0x80) {
		pool_destroy(c);
	} else if (c->element[i]) {
		mempool_free(c->element[i], c->pool);
		c->element[i] = NULL;
	} else {
		c->element[i] = mempool_alloc(c->pool, GFP_KERNEL);
		FUZZ_MUST(c->element[i], "mempool_alloc gave nothing");
		if (!c->constructed)
			memset(c->element[i], 0xee, c->size);
	}
}

static void object_operation(struct cache *c, unsigned i, unsigned op)
{
	bool zero = op & 0x10 && !c->constructed;

	if (c->object[i])
		object_free(c, i);
	else
		came(c, i, kmem_cache_alloc(c->s, GFP_KERNEL | (zero ? __GFP_ZERO : 0)), zero);
}

static void operation(struct bytes *in)
{
	unsigned op = take8(in);
	struct cache *c = &cache[take8(in) % CACHES];
	unsigned i = take8(in) % OBJECTS;

	fuzz_operations++;
	if (!c->s) {
		cache_create(c, in, op);
		return;
	}
	switch (op & 15) {
	case 0:
		if (op >= 0xf0)
			cache_destroy(c);
		else
			kmem_cache_shrink(c->s);
		break;
	case 1:
	case 2:
		pool_operation(c, in, op);
		break;
	case 3:
		bulk_alloc(c, i);
		break;
	case 4:
		bulk_free(c, i);
		break;
	default:
		object_operation(c, i, op);
	}
}

void fuzz_one(struct bytes *in)
{
	while (more(in))
		operation(in);
	for (size_t i = 0; i < CACHES; i++)
		cache_destroy(&cache[i]);
}
