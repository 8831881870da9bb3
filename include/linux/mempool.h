/* SPDX-License-Identifier: MIT */
/*
 * Pools that always have something left.  See mempool_create(3).
 */
#ifndef LIBKMALLOC_LINUX_MEMPOOL_H
#define LIBKMALLOC_LINUX_MEMPOOL_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/slab_def.h>
#include <linux/types.h>

KM_BEGIN_DECLS

typedef void *(mempool_alloc_t)(gfp_t gfp, void *pool_data);
typedef void (mempool_free_t)(void *element, void *pool_data);

/* May stand inside another structure; all zero means: not initialised. */
typedef struct mempool {
	int km_reserved;		/* the library's */
	int km_unused;
	int min_nr;			/* elements to hold in reserve */
	int curr_nr;			/* elements in reserve */
	void **elements;
	void *pool_data;
	mempool_alloc_t *alloc;
	mempool_free_t *free;
	unsigned int wait;		/* changes when an element comes back */
	unsigned int waiters;
} mempool_t;

int mempool_init(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
		 void *pool_data);
int mempool_init_node(mempool_t *pool, int min_nr, mempool_alloc_t *alloc_fn,
		      mempool_free_t *free_fn, void *pool_data, gfp_t gfp, int node);
void mempool_exit(mempool_t *pool);
mempool_t *mempool_create(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			  void *pool_data);
mempool_t *mempool_create_node(int min_nr, mempool_alloc_t *alloc_fn, mempool_free_t *free_fn,
			       void *pool_data, gfp_t gfp, int node);
void mempool_destroy(mempool_t *pool);
int mempool_resize(mempool_t *pool, int new_min_nr);

void *mempool_alloc(mempool_t *pool, gfp_t gfp);
void *mempool_alloc_preallocated(mempool_t *pool);
void *mempool_alloc_noreserve(mempool_t *pool, gfp_t gfp);
void mempool_free(void *element, mempool_t *pool);
/* Of the @count slots @allocated are taken; those that are NULL are filled.  Returns 0. */
int mempool_alloc_bulk(mempool_t *pool, void **elements, unsigned int count,
		       unsigned int allocated);
/* Into the reserve, from the start, as many as it wants; returns how many. */
unsigned int mempool_free_bulk(mempool_t *pool, void **elements, unsigned int count);

/* Elements of a cache without a constructor, of kmalloc, of kvmalloc, of pages. */
void *mempool_alloc_slab(gfp_t gfp, void *cache);
void mempool_free_slab(void *element, void *cache);
void *mempool_kmalloc(gfp_t gfp, void *size);
void mempool_kfree(void *element, void *size);
void *mempool_kvmalloc(gfp_t gfp, void *size);
void mempool_kvfree(void *element, void *size);
void *mempool_alloc_pages(gfp_t gfp, void *order);
void mempool_free_pages(void *element, void *order);

KM_END_DECLS

static inline bool mempool_initialized(mempool_t *pool)
{
	return pool->elements != NULL;
}

static inline bool mempool_is_saturated(mempool_t *pool)
{
	return __atomic_load_n(&pool->curr_nr, __ATOMIC_RELAXED) >= pool->min_nr;
}

#define KM_POOL_DATA(n)	((void *)(unsigned long)(n))

static inline int mempool_init_slab_pool(mempool_t *pool, int min_nr, struct kmem_cache *s)
{
	return mempool_init(pool, min_nr, mempool_alloc_slab, mempool_free_slab, (void *)s);
}

static inline mempool_t *mempool_create_slab_pool(int min_nr, struct kmem_cache *s)
{
	return mempool_create(min_nr, mempool_alloc_slab, mempool_free_slab, (void *)s);
}

static inline int mempool_init_kmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kmalloc, mempool_kfree, KM_POOL_DATA(size));
}

static inline mempool_t *mempool_create_kmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kmalloc, mempool_kfree, KM_POOL_DATA(size));
}

static inline int mempool_init_kvmalloc_pool(mempool_t *pool, int min_nr, size_t size)
{
	return mempool_init(pool, min_nr, mempool_kvmalloc, mempool_kvfree, KM_POOL_DATA(size));
}

static inline mempool_t *mempool_create_kvmalloc_pool(int min_nr, size_t size)
{
	return mempool_create(min_nr, mempool_kvmalloc, mempool_kvfree, KM_POOL_DATA(size));
}

static inline int mempool_init_page_pool(mempool_t *pool, int min_nr, int order)
{
	return mempool_init(pool, min_nr, mempool_alloc_pages, mempool_free_pages,
			    KM_POOL_DATA(order));
}

static inline mempool_t *mempool_create_page_pool(int min_nr, int order)
{
	return mempool_create(min_nr, mempool_alloc_pages, mempool_free_pages,
			      KM_POOL_DATA(order));
}

#ifndef KMALLOC_BUILDING

/* In 2.6 it had a third argument. */
#ifdef __cplusplus
inline int mempool_resize(mempool_t *pool, int new_min_nr, gfp_t)
{
	return mempool_resize(pool, new_min_nr);
}
#else
#define KM_RESIZE2(pool, n)		(mempool_resize)(pool, n)
#define KM_RESIZE3(pool, n, gfp)	((void)(gfp), (mempool_resize)(pool, n))
#define KM_PICK_RESIZE(a, b, c, d, ...)	d
#define mempool_resize(...) \
	KM_PICK_RESIZE(__VA_ARGS__, KM_RESIZE3, KM_RESIZE2, 0, 0)(__VA_ARGS__)
#endif

#endif

#endif
