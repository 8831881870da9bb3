/* SPDX-License-Identifier: MIT */
/*
 * What caches with special wishes do when a slab is made and when it goes: constructors and
 * destructors of the old interface, debugging, pages below 4 GiB, waiting for readers under RCU.
 *
 * Locks: none are held when these are called; they run inside the gate.
 */
#include "kmalloc/api.h"

#include "kmalloc/rcu.h"
#include "mm/low.h"
#include "slab/debug.h"

#define LOW_FLAGS	(SLAB_CACHE_DMA | SLAB_CACHE_DMA32)

static void construct_objects(struct kmem_cache *s, struct page *slab)
{
	struct user_cache *c = user_cache_of(s);
	char *object = (char *)slab_base(slab) + s->left;
	unsigned i;

	for (i = 0; i < s->objects && c->ctor3; i++, object += s->size)
		c->ctor3(object, s, SLAB_CTOR_CONSTRUCTOR);
	object = (char *)slab_base(slab) + s->left;
	for (i = 0; i < s->objects && s->ctor; i++, object += s->size)
		s->ctor(object);
}

static void construct_any(struct kmem_cache *s, struct page *slab)
{
	if (slab_is_debugged(s))
		slab_debug_construct(s, slab);
	construct_objects(s, slab);
}

static void verify_object(struct kmem_cache *s, void *object)
{
	struct user_cache *c = user_cache_of(s);

	if (c->flags & SLAB_DEBUG_INITIAL)
		c->ctor3(object, s, SLAB_CTOR_CONSTRUCTOR | SLAB_CTOR_VERIFY);
}

/* Destructors get the objects as the constructor left them, or as the last user did. */
static void destroy_objects(struct kmem_cache *s, struct page *slab)
{
	struct user_cache *c = user_cache_of(s);
	char *object = (char *)slab_base(slab) + s->left;
	unsigned i;

	if (!c || !c->dtor3)
		return;
	for (i = 0; i < s->objects; i++, object += s->size)
		c->dtor3(object, s, 0);
}

static bool release_any(struct kmem_cache *s, struct page *slab)
{
	destroy_objects(s, slab);
	if (slab_is_debugged(s))
		slab_debug_release(s, slab);
	return !(s->flags & SLAB_TYPESAFE_BY_RCU) || !rcu_defer_slab(slab);
}

static struct page *low_pages(struct kmem_cache *s)
{
	return low_alloc(1u << s->order, s->order);
}

static const struct slab_hooks plain_hooks = {
	.construct = construct_any,
	.verify = verify_object,
	.release = release_any,
};

static const struct slab_hooks low_hooks = {
	.get_pages = low_pages,
	.construct = construct_any,
	.verify = verify_object,
	.release = release_any,
};

const struct slab_hooks *cache_hooks(const struct user_cache *c)
{
	if (c->flags & LOW_FLAGS)
		return &low_hooks;
	if (c->ctor3 || c->dtor3 || c->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_DEBUG_FLAGS))
		return &plain_hooks;
	return NULL;
}
