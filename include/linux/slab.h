/* SPDX-License-Identifier: MIT */
/*
 * kmalloc and caches of objects.  See kmalloc(3) and kmem_cache_create(3).
 */
#ifndef LIBKMALLOC_LINUX_SLAB_H
#define LIBKMALLOC_LINUX_SLAB_H

#include <linux/cleanup.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/overflow.h>
#include <linux/slab_def.h>
#include <linux/types.h>

KM_BEGIN_DECLS

/*
 * kmalloc.
 */

#define KMALLOC_MIN_SIZE	16
#define KMALLOC_SHIFT_MAX	22
#define KMALLOC_MAX_SIZE	(1ul << KMALLOC_SHIFT_MAX)
#define KMALLOC_MAX_CACHE_SIZE	(2ul << 12)
#define KMALLOC_MAX_ORDER	10
#define ARCH_KMALLOC_MINALIGN	16
#define ARCH_SLAB_MINALIGN	8

/* What a request for no bytes gets: not NULL, not to be read, may be freed. */
#define ZERO_SIZE_PTR		((void *)16)
#define ZERO_OR_NULL_PTR(x)	((unsigned long)(x) <= (unsigned long)ZERO_SIZE_PTR)

#define NUMA_NO_NODE	(-1)

void *kmalloc(size_t size, gfp_t flags) __km_size(1);
void *kzalloc(size_t size, gfp_t flags) __km_size(1);
void *kmalloc_array(size_t n, size_t size, gfp_t flags) __km_size2(1, 2);
void *kcalloc(size_t n, size_t size, gfp_t flags) __km_size2(1, 2);
void *krealloc(const void *p, size_t size, gfp_t flags) __km_check;
void *krealloc_array(void *p, size_t n, size_t size, gfp_t flags) __km_check;
void *krealloc_node(const void *p, size_t size, gfp_t flags, int node) __km_check;
void *krealloc_node_align(const void *p, size_t size, unsigned long align, gfp_t flags, int node)
	__km_check;
void kfree(const void *p);
void kfree_sensitive(const void *p);
size_t ksize(const void *p);
size_t kmalloc_size_roundup(size_t size);
void kfree_bulk(size_t n, void **p);

void *kmalloc_node(size_t size, gfp_t flags, int node) __km_size(1);
void *kzalloc_node(size_t size, gfp_t flags, int node) __km_size(1);
void *kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node) __km_size2(1, 2);
void *kcalloc_node(size_t n, size_t size, gfp_t flags, int node) __km_size2(1, 2);
void *kmalloc_track_caller(size_t size, gfp_t flags) __km_size(1);
void *kmalloc_node_track_caller(size_t size, gfp_t flags, int node) __km_size(1);

/* In any context, signal handlers included. */
void *kmalloc_nolock(size_t size, gfp_t flags, int node) __km_size(1);
void kfree_nolock(const void *p);

void *kvmalloc(size_t size, gfp_t flags) __km_size(1);
void *kvzalloc(size_t size, gfp_t flags) __km_size(1);
void *kvmalloc_node(size_t size, gfp_t flags, int node) __km_size(1);
void *kvzalloc_node(size_t size, gfp_t flags, int node) __km_size(1);
void *kvmalloc_array(size_t n, size_t size, gfp_t flags) __km_size2(1, 2);
void *kvcalloc(size_t n, size_t size, gfp_t flags) __km_size2(1, 2);
void *kvmalloc_array_node(size_t n, size_t size, gfp_t flags, int node) __km_size2(1, 2);
void *kvcalloc_node(size_t n, size_t size, gfp_t flags, int node) __km_size2(1, 2);
void *kvrealloc(const void *p, size_t size, gfp_t flags) __km_check;
void *kvrealloc_sized(const void *p, size_t old_size, size_t size, gfp_t flags) __km_check;
void kvfree(const void *p);
void kvfree_atomic(const void *p);
void kvfree_sensitive(const void *p, size_t len);

/* RCU: needs liburcu in the program.  @head is inside the object. */
void kvfree_call_rcu(void *head, void *ptr);
void kvfree_rcu_barrier(void);
void kvfree_rcu_barrier_on_cache(struct kmem_cache *s);

#define kfree_rcu(ptr, field)	kvfree_call_rcu(&(ptr)->field, (void *)(ptr))
#define kvfree_rcu(ptr, field)	kvfree_call_rcu(&(ptr)->field, (void *)(ptr))
#define kfree_rcu_mightsleep(ptr)	kvfree_call_rcu(NULL, (void *)(ptr))
#define kvfree_rcu_mightsleep(ptr)	kvfree_call_rcu(NULL, (void *)(ptr))

/*
 * Say on standard error what is known of a pointer: to an object of a cache (false if it is none,
 * and then nothing is said), and to anything.
 */
bool kmem_dump_obj(void *object);
void mem_dump_obj(void *object);
bool kmem_valid_obj(void *object);

/*
 * Caches.
 */

struct kmem_cache_args {
	unsigned int align;
	unsigned int useroffset;
	unsigned int usersize;
	unsigned int freeptr_offset;
	bool use_freeptr_offset;
	void (*ctor)(void *object);
	unsigned int sheaf_capacity;
};

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned int size,
					    struct kmem_cache_args *args, slab_flags_t flags);
struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *object));
struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned int size,
					      unsigned int align, slab_flags_t flags,
					      unsigned int useroffset, unsigned int usersize,
					      void (*ctor)(void *object));
void kmem_cache_destroy(struct kmem_cache *s);
int kmem_cache_shrink(struct kmem_cache *s);

void *kmem_cache_alloc(struct kmem_cache *s, gfp_t flags) __km_malloc;
void *kmem_cache_zalloc(struct kmem_cache *s, gfp_t flags) __km_malloc;
void *kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node) __km_malloc;
struct list_lru;
void *kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t flags) __km_malloc;
/* For kmalloc caches: of the object only @size bytes are wanted; debugging guards the rest. */
void *kmem_cache_alloc_request(struct kmem_cache *s, gfp_t flags, size_t size) __km_malloc;
void kmem_cache_free(struct kmem_cache *s, void *object);
int kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t n, void **p);
void kmem_cache_free_bulk(struct kmem_cache *s, size_t n, void **p);

/* Objects reserved beforehand: taking them cannot fail and takes no lock. */
struct slab_sheaf;
struct slab_sheaf *kmem_cache_prefill_sheaf(struct kmem_cache *s, gfp_t flags, unsigned int n);
int kmem_cache_refill_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf **sheaf,
			    unsigned int n);
void *kmem_cache_alloc_from_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf *sheaf);
void kmem_cache_return_sheaf(struct kmem_cache *s, gfp_t flags, struct slab_sheaf *sheaf);
unsigned int kmem_cache_sheaf_size(struct slab_sheaf *sheaf);

unsigned int kmem_cache_size(struct kmem_cache *s);
const char *kmem_cache_name(struct kmem_cache *s);
bool kmem_cache_charge(void *object, gfp_t flags);
bool slab_is_available(void);

/* Walks and checks all objects of a cache that is debugged; returns the number of errors. */
long validate_slab_cache(struct kmem_cache *s);
/* Errors reported and repairs made since the start of the process, of all caches. */
unsigned long kmalloc_slab_errors(void);

/* All caches in the format of /proc/slabinfo: version 21 for 2.1, 11 for 1.1 of Linux 2.4. */
void kmalloc_slabinfo(int fd, int version);

/* A set of kmalloc caches of one's own. */
typedef struct kmem_buckets kmem_buckets;
kmem_buckets *kmem_buckets_create(const char *name, slab_flags_t flags, unsigned int useroffset,
				  unsigned int usersize, void (*ctor)(void *object));
void *kmem_buckets_alloc(kmem_buckets *b, size_t size, gfp_t flags) __km_size(2);
void *kmem_buckets_alloc_track_caller(kmem_buckets *b, size_t size, gfp_t flags) __km_size(2);
void *kmem_buckets_valloc(kmem_buckets *b, size_t size, gfp_t flags) __km_size(2);

/*
 * The interface of the kernels up to 2.6, whatever the era of the caller: constructors and
 * destructors with three arguments, a result of destroy.
 */
typedef struct kmem_cache kmem_cache_t;
typedef void (*kmalloc_ctor3_t)(void *object, kmem_cache_t *s, unsigned long flags);
kmem_cache_t *kmem_cache_create_24(const char *name, size_t size, size_t offset,
				   unsigned long flags, kmalloc_ctor3_t ctor,
				   kmalloc_ctor3_t dtor);
int kmem_cache_destroy_24(kmem_cache_t *s);
int kmem_cache_grow(kmem_cache_t *s, gfp_t flags);
int kmem_cache_reap(gfp_t flags);
kmem_cache_t *kmem_find_general_cachep(size_t size, gfp_t flags);
void kfree_s(const void *p, size_t size);
/* kmalloc with the largest size of its time. */
void *kmalloc_limited(size_t size, gfp_t flags, size_t limit);

/* The general caches and their twins for DMA; the last one has size 0. */
typedef struct cache_sizes {
	size_t cs_size;
	kmem_cache_t *cs_cachep;
	kmem_cache_t *cs_dmacachep;
} cache_sizes_t;
const cache_sizes_t *kmalloc_cache_sizes(void);
/* The cache of all struct kmem_cache. */
kmem_cache_t *kmalloc_cache_cache(void);

KM_END_DECLS

static inline void kmem_cache_init(void) { }
static inline void kmem_cache_init_late(void) { }
static inline void kmem_cache_sizes_init(void) { }

#ifndef KMALLOC_BUILDING

DEFINE_FREE(kfree, void *, kfree(_T))
DEFINE_FREE(kfree_sensitive, void *, kfree_sensitive(_T))
DEFINE_FREE(kvfree, void *, kvfree(_T))

#include <linux/slab_macros.h>

#endif

#endif
