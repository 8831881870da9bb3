/* SPDX-License-Identifier: MIT */
/*
 * Caches and their slabs.
 */
#ifndef SLAB_SLAB_H
#define SLAB_SLAB_H

#include <limits.h>

#include "mm/region.h"
#include "os/lock.h"

#define MIN_SLAB_ORDER	2		/* one granule of the slab map */
#define MAX_SLAB_ORDER	MAX_PAGE_ORDER
#define MAX_SLAB_OBJECTS 1024
#define NR_FULLNESS	8
#define LARGE_OBJECT	1024u		/* slabs of larger ones are 64 KiB and more */

/*
 * What stands in the slab map: 0 for pages that are no slab, 1 … NR_KMALLOC_CLASSES for the slabs
 * of the kmalloc caches, and above that the order of any other cache's slab.
 */
#define NR_KMALLOC_CLASSES	40
#define MAP_OTHER(order)	(NR_KMALLOC_CLASSES + 1 + (order) - MIN_SLAB_ORDER)
#define NR_MAP_VALUES		(MAP_OTHER(MAX_SLAB_ORDER) + 1)

static_assert((PAGE_SIZE << MIN_SLAB_ORDER) == GRANULE_SIZE, "a granule belongs to one slab");
static_assert(MAX_SLAB_OBJECTS <= ((1 << MIN_SLAB_ORDER) - 1) * sizeof(struct page) * 8,
	      "the bitmap fits into the tail pages");

struct magazine;

/*
 * Bonwick's depot: whole magazines, the current ones of no thread.
 * Lists are used as stacks (hottest first); the coldest are at the end.
 */
struct depot {
	struct os_mutex lock;		/* guards the rest */
	struct list_node full;		/* magazines with at least one round */
	struct list_node empty;
	uint32_t nr_full, nr_empty;
	uint32_t full_low, empty_low;	/* fewest since the last trim: what nobody needed */
	uint32_t max_full;		/* beyond it the coldest goes to its slabs */
	uint32_t min_max_full;		/* where max_full starts */
	uint32_t overflows;		/* magazines that went to their slabs for that reason */

	/* Counted since the cache was made; barns and sheaves are what SLUB calls all this. */
	uint32_t barn_get_fail;		/* of barn_get times that a full magazine was asked for */
	uint32_t barn_put_fail;		/* of barn_put times that one was left here */
	size_t barn_get, barn_put;
	ptrdiff_t handed;		/* as thread_class.handed: what was moved here */
	/* Without the lock: magazines made and deleted, prefilled sheaves (kmalloc/sheaf.c). */
	_Atomic uint32_t sheaf_alloc, sheaf_free;
	_Atomic uint32_t sheaf_prefill, sheaf_prefill_oversize, sheaf_return;
};

/*
 * What happened to the slabs of a cache since it was made, in the kernel's words (stat_item of
 * mm/slub.c). alloc_slowpath and free_slowpath are objects that no magazine was involved in.
 */
struct slab_counts {
	size_t alloc_slowpath, free_slowpath;	/* objects: slab to program, program to slab */
	size_t sheaf_refill, sheaf_flush;	/* objects: slab to magazine, magazine to slab */
	size_t alloc_slab, free_slab;		/* slabs made; slabs released */
	size_t free_add_partial;	/* slabs that were full until an object was freed */
	size_t free_remove_partial;	/* slabs that were partial until the last one was */
};

struct kmem_cache;

/* What caches with special wishes do with the pages of a slab; each one may be NULL. */
struct slab_hooks {
	/* Instead of zone_alloc. */
	struct page *(*get_pages)(struct kmem_cache *s);
	/* Instead of s->ctor for each object. */
	void (*construct)(struct kmem_cache *s, struct page *slab);
	/* An object in use that is about to be freed, if its cache is debugged. */
	void (*verify)(struct kmem_cache *s, void *object);
	/* False: the slab stays as it is until somebody calls slab_put_pages. */
	bool (*release)(struct kmem_cache *s, struct page *slab);
};

struct kmem_cache {
	/* Set at creation. */
	uint32_t flags;			/* SLAB_* of <linux/slab_def.h>; first, with offset */
	uint32_t offset;		/* of a debugged object's free pointer */
	uint32_t size;			/* distance of two objects in a slab */
	uint32_t object_size;		/* what the user asked for */
	uint64_t reciprocal;		/* slab_index: offset * reciprocal >> RECIPROCAL_SHIFT */
	uint32_t fullness_factor;	/* (NR_FULLNESS << 16) / objects */
	uint16_t objects;		/* in a slab */
	uint8_t order;			/* of a slab */
	uint8_t map_value;		/* of its granules in the slab map */
	uint16_t max_rounds;		/* the most a magazine may hold */
	uint16_t align;
	const struct slab_hooks *hooks;	/* NULL: none */
	void (*ctor)(void *object);	/* once for each object when its slab is made */
	bool zeroed;			/* free objects are zero: new pages must be too */
	uint32_t slot;			/* where threads have its magazine; UINT32_MAX: ask */
	uint32_t id;			/* of the cache: small, used again later */
	_Atomic uint32_t pins;		/* looked at by cache_for_each */
	const char *name;
	bool internal;			/* objects are the library's: nobody else may free them */

	struct depot depot __attribute__((aligned(CACHE_LINE)));

	struct os_mutex lock __attribute__((aligned(CACHE_LINE)));	/* guards the rest */
	uint32_t nonempty;		/* bit i: partial[i] is not empty */
	uint32_t nr_empty;		/* slabs on the list empty */
	uint32_t nr_partial;		/* slabs on the lists partial */
	uint32_t nr_slabs;
	uint64_t scatter;		/* not 0: objects are taken from random places; the state */
	size_t nr_free;			/* free objects in all slabs */
	struct list_node partial[NR_FULLNESS];	/* [0]: the fullest ones */
	struct list_node empty;		/* slabs without an object in use */
	struct slab_counts counts;
	_Atomic(struct page *) parked;	/* slabs that wait for somebody with the lock */

	/* Colours of slabs: so many multiples of this many bytes may stand before the objects. */
	uint16_t colours;		/* 1: there is no room for any */
	uint16_t colour_unit;
	_Atomic uint32_t colour_next;	/* of the next slab, modulo colours */

	/* Of caches that are debugged (slab/debug.c). */
	uint32_t left;			/* red zone before the object */
	bool keeps_contents;		/* of free objects: no poison */
	struct list_node debug_slabs;	/* all slabs */
};

/* Slabs without an object in use that a cache keeps. */
static inline unsigned slab_keep_empty(const struct kmem_cache *s)
{
	return s->size <= LARGE_OBJECT || s->ctor;
}

#define RECIPROCAL_SHIFT	44

/* The kmalloc caches, indexed by class; [0] is not used.  Filled by kmalloc/sizes.c. */
extern struct kmem_cache kmalloc_caches[NR_KMALLOC_CLASSES + 1] __hidden;

/*
 * Prepares a cache.  @align is a power of two up to PAGE_SIZE; @map_value 0 chooses the value for
 * caches that are not kmalloc's.  False if there are MAX_CACHES already.
 */
bool cache_init(struct kmem_cache *s, const char *name, size_t size, size_t align,
		uint8_t map_value);

/*
 * Its slabs get colours, if what is left over in them has room.  Before the first slab is made, and
 * only if nobody relies on more alignment than @align: not for the kmalloc caches.
 */
void cache_set_colours(struct kmem_cache *s);

/* The colour of a new slab: one further than that of the last one, and round. */
uint32_t cache_next_colour(struct kmem_cache *s);

/* The opposite of cache_init, once no slab is left and no thread has a magazine of it. */
void cache_fini(struct kmem_cache *s);

/* The cache with this id. */
struct kmem_cache *cache_of_id(unsigned id);

#define MAX_CACHES	65536u

/* Order of the slabs of a cache with objects of @size bytes. */
unsigned slab_order(size_t size);

/* In the child of a fork. */
void cache_fork_child(void);

/* Calls @fn for every cache, with no lock held. */
void cache_for_each(void (*fn)(struct kmem_cache *s, void *arg), void *arg);

/*
 * Takes up to @n objects.  They are stored at the end of @objs, so that objs[n - 1] has the
 * lowest address of the fullest slab.  Returns how many; 0 if there is no memory.
 */
unsigned slab_alloc(struct kmem_cache *s, void **objs, unsigned n);

/* The same for a magazine, and the opposite of it: only what is counted differs. */
unsigned slab_refill(struct kmem_cache *s, void **objs, unsigned n);
void slab_flush(struct kmem_cache *s, void *const *objs, unsigned n);

/*
 * One object from the slabs there are, or from a new one of pages that are mapped already, of which
 * @keep stay free.  Neither waits nor makes a system call.
 */
bool slab_alloc_nowait(struct kmem_cache *s, void **object, size_t keep);

/* False if the lock cannot be had at once; else as slab_free, but keeps all slabs. */
bool slab_free_nowait(struct kmem_cache *s, void *object);

/* The pages of a slab that a release hook kept. */
void slab_put_pages(struct page *slab);

/*
 * Objects go back to their slabs.  Pointers that are no allocated object of this cache are reported
 * and left out.
 */
void slab_free(struct kmem_cache *s, void *const *objs, unsigned n);

/* The same without a report. */
void slab_free_quiet(struct kmem_cache *s, void *const *objs, unsigned n);

/* Frees slabs without an object in use, but for @keep of them.  Returns pages. */
size_t slab_shrink_to(struct kmem_cache *s, unsigned keep);

static inline size_t slab_shrink(struct kmem_cache *s)
{
	return slab_shrink_to(s, 0);
}

/* Adds a slab whose objects are all free.  False if there is no memory. */
bool slab_grow(struct kmem_cache *s);

/* Takes s->lock, for whoever is going to look at the lists, or to free objects. */
void slab_lock(struct kmem_cache *s);

/* On and off the list for slabs of its fullness.  Under s->lock. */
void slab_list(struct kmem_cache *s, struct page *slab);
void slab_unlist(struct kmem_cache *s, struct page *slab);

/*
 * Gives back the memory of pages in slabs on which no object is in use; of slabs that were used
 * since the last call only if @all.  Returns pages.
 */
size_t slab_purge_holes(struct kmem_cache *s, bool all);

/* The first page of the slab in which @addr, in region @r, lies; NULL if it lies in none. */
struct page *slab_of(const struct region *r, uintptr_t addr);

/* Index of the object that contains the byte at @offset in the slab. */
static inline unsigned slab_index(const struct kmem_cache *s, size_t offset)
{
	return (unsigned)(offset * s->reciprocal >> RECIPROCAL_SHIFT);
}

/* How far from its first object @addr is, in a slab whose pages are at @start; huge before it. */
static inline size_t slab_offset(const struct page *slab, uintptr_t start, uintptr_t addr)
{
	return addr - start - slab->colour;
}

/* Where the objects of a slab begin: the first one, and any other. */
static inline uintptr_t slab_base(const struct page *slab)
{
	return page_to_addr(slab) + slab->colour;
}

static inline uintptr_t slab_object(const struct page *slab, unsigned i)
{
	return slab_base(slab) + (size_t)i * slab->cache->size;
}

/* The object, if there is one there, that contains the byte at @addr; else at least s->objects. */
static inline unsigned slab_object_index(const struct page *slab, uintptr_t addr)
{
	uintptr_t base = slab_base(slab);

	return likely(addr >= base) ? slab_index(slab->cache, addr - base) : UINT_MAX;
}

/* Bits of the free objects, kept in the struct pages behind the first one. */
static inline uint64_t *slab_bitmap(struct page *slab)
{
	return (uint64_t *)(slab + 1);
}

/*
 * Is @ptr the start of an object of @s that is in use?  Without the lock: exact for an object that
 * the caller owns, and for a pointer that is no object.
 */
bool slab_is_object_in_use(struct kmem_cache *s, const void *ptr);

/* Whoever asks without the lock must know that the object is in use, or live with either answer. */
static inline __racy bool slab_object_is_free(struct page *slab, unsigned i)
{
	return RACY_READ(slab_bitmap(slab)[i / 64]) >> (i % 64) & 1;
}

/* Says what is wrong with a pointer that should be an object in use of a slab. */
void slab_report(const void *ptr);

/* Debug: compares lists, bitmaps and counters.  Returns the number of errors. */
unsigned slab_check(struct kmem_cache *s);

#endif
