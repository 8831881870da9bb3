/* SPDX-License-Identifier: MIT */
/*
 * What tools/testing/radix-tree expects besides the kernel's interface: counters, and caches that fail
 * requests that may not block, as often as a test says.  Everything else goes to the library.
 */
#include <linux/slab.h>

#include <stdatomic.h>
#include <stdlib.h>

/* What the tests see as struct kmem_cache. */
struct adapted_cache {
	struct kmem_cache *real;
	unsigned int size;
	_Atomic unsigned int non_kernel;	/* requests that may not block and yet succeed */
	_Atomic unsigned long nr_allocated, nr_tallocated;
	_Atomic bool exec_callback;
	void (*callback)(void *private);
	void *private;
};

_Atomic int nr_allocated, kmalloc_nr_allocated;
int preempt_count, test_verbose, kmalloc_verbose;

void *adapted_kmalloc(size_t size, gfp_t gfp)
{
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		return NULL;
	kmalloc_nr_allocated++;
	return kmalloc(size, gfp);
}

void adapted_kfree(void *p)
{
	if (p)
		kmalloc_nr_allocated--;
	kfree(p);
}

void kmem_cache_set_callback(struct adapted_cache *c, void (*callback)(void *private))
{
	c->callback = callback;
}

void kmem_cache_set_private(struct adapted_cache *c, void *private)
{
	c->private = private;
}

void kmem_cache_set_non_kernel(struct adapted_cache *c, unsigned int n)
{
	c->non_kernel = n;
}

unsigned long kmem_cache_get_alloc(struct adapted_cache *c)
{
	return c->size * c->nr_allocated;
}

unsigned long kmem_cache_nr_allocated(struct adapted_cache *c)
{
	return c->nr_allocated;
}

unsigned long kmem_cache_nr_tallocated(struct adapted_cache *c)
{
	return c->nr_tallocated;
}

void kmem_cache_zero_nr_tallocated(struct adapted_cache *c)
{
	c->nr_tallocated = 0;
}

struct adapted_cache *adapted_cache_create(const char *name, unsigned int size, unsigned int align,
					   unsigned int flags, void (*ctor)(void *))
{
	struct adapted_cache *c = calloc(1, sizeof(*c));

	(void)flags;
	if (!c)
		abort();
	c->size = size;
	c->real = kmem_cache_create(name, size, align, SLAB_PANIC, ctor);
	return c;
}

static bool may_allocate(struct adapted_cache *c, gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		return true;
	if (!c->non_kernel)
		return false;
	c->non_kernel--;
	return true;
}

static void count(struct adapted_cache *c, int n)
{
	nr_allocated += n;
	c->nr_allocated += (unsigned long)n;
	c->nr_tallocated += n > 0 ? (unsigned long)n : 0;
}

void *adapted_cache_alloc_lru(struct adapted_cache *c, void *lru, int gfp)
{
	void *object;

	(void)lru;
	if (c->exec_callback) {
		if (c->callback)
			c->callback(c->private);
		c->exec_callback = false;
	}
	if (!may_allocate(c, (gfp_t)gfp)) {
		c->exec_callback = true;
		return NULL;
	}
	/* The tests' own allocator succeeds here whatever the flags. */
	object = kmem_cache_alloc(c->real, (gfp_t)gfp | GFP_KERNEL);
	if (object)
		count(c, 1);
	return object;
}

void adapted_cache_free(struct adapted_cache *c, void *object)
{
	count(c, -1);
	kmem_cache_free(c->real, object);
}

int adapted_cache_alloc_bulk(struct adapted_cache *c, gfp_t gfp, size_t n, void **p)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!may_allocate(c, gfp))
			return 0;
	if (!kmem_cache_alloc_bulk(c->real, gfp | GFP_KERNEL, n, p))
		return 0;
	count(c, (int)n);
	return (int)n;
}

void adapted_cache_free_bulk(struct adapted_cache *c, size_t n, void **p)
{
	count(c, -(int)n);
	kmem_cache_free_bulk(c->real, n, p);
}

void test_kmem_cache_bulk(void)
{
}
