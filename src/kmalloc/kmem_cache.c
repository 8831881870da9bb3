/* SPDX-License-Identifier: MIT */
/*
 * The life of the program's caches.
 *
 * Caches that are alike share one (merging): same slabs, a reference count, the name of the first.
 * Not merged are caches with a constructor, with debugging, with pages of their own kind, and with
 * SLAB_NO_MERGE.
 *
 * A cache that still has objects when it is destroyed is left as it is: they may be used yet.
 * It is reported; the old interface returns 1.
 *
 * Locks: user_caches_lock for the list and reference counts, inside the gate.
 *
 * References: Linux mm/slab_common.c; Linux 2.4 mm/slab.c for the old interface.
 */
#include "kmalloc/api.h"

#include <errno.h>
#include <string.h>

#include "kmalloc/rcu.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "lib/fmt.h"
#include "lib/strutil.h"
#include "slab/debug.h"

#define MIN_ALIGN	8

static struct os_mutex user_caches_lock = OS_MUTEX(RANK_INIT);
static struct kmem_cache cache_cache;		/* of struct user_cache */

/* What keeps two caches apart, and what must be the same. */
#define NEVER_MERGE	(SLAB_DEBUG_FLAGS | SLAB_NO_MERGE | SLAB_TYPESAFE_BY_RCU | SLAB_FAILSLAB | \
			 SLAB_NOLEAKTRACE)
#define MERGE_SAME	(SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_CACHE_DMA32 | SLAB_ACCOUNT)

static bool lock_caches(void)
{
	if (!heap_enter_wait())
		return false;
	os_mutex_lock(&user_caches_lock);
	return true;
}

static void unlock_caches(void)
{
	os_mutex_unlock(&user_caches_lock);
	gate_leave();
}

struct user_cache *user_cache_of(struct kmem_cache *s)
{
	struct region *r = region_of((uintptr_t)s);
	struct page *slab = r ? slab_of(r, (uintptr_t)s) : NULL;

	return slab && slab->cache == &cache_cache ? (struct user_cache *)s : NULL;
}

static bool enter_with_cache_cache(void)
{
	static bool done;

	if (!lock_caches())
		return false;
	if (!done)
		cache_init(&cache_cache, "kmem_cache", sizeof(struct user_cache), CACHE_LINE, 0);
	done = true;
	os_mutex_unlock(&user_caches_lock);
	return true;
}

kmem_cache_t *kmalloc_cache_cache(void)
{
	if (enter_with_cache_cache())
		gate_leave();
	return &cache_cache;
}

/*
 * Creation.
 */

/* A cache line where objects are large enough to fill half of one. */
static size_t alignment(slab_flags_t flags, size_t size, size_t align)
{
	size_t line = CACHE_LINE;

	align = max(align, (size_t)MIN_ALIGN);
	if (flags & SLAB_HWCACHE_ALIGN) {
		while (size <= line / 2)
			line /= 2;
		align = max(align, line);
	}
	return align;
}

struct cache_plan {
	const char *name;
	size_t size, align;
	slab_flags_t flags;
	void (*ctor)(void *object);
	kmalloc_ctor3_t ctor3, dtor3;
	unsigned useroffset, usersize;
	unsigned sheaf_capacity;
	unsigned freeptr_offset;
	bool use_freeptr_offset;
};

static bool is_mergeable(const struct cache_plan *plan)
{
	return !plan->ctor && !plan->ctor3 && !plan->dtor3 && !plan->usersize &&
	       !(plan->flags & NEVER_MERGE);
}

struct merge_search {
	const struct cache_plan *plan;
	struct user_cache *found;
};

static void try_merge(struct kmem_cache *s, void *arg)
{
	struct merge_search *search = arg;
	const struct cache_plan *plan = search->plan;
	struct user_cache *c = user_cache_of(s);
	size_t size = align_up(plan->size, plan->align);

	if (search->found || !c || !c->refcount || s->ctor || c->ctor3 || c->dtor3 || c->usersize ||
	    c->flags & NEVER_MERGE)
		return;
	if ((c->flags ^ plan->flags) & MERGE_SAME || size > s->size ||
	    s->size - size >= sizeof(void *) || (s->size | s->colour_unit) & (plan->align - 1))
		return;
	search->found = c;
}

static struct user_cache *find_mergeable(const struct cache_plan *plan)
{
	struct merge_search search = { plan, NULL };

	if (is_mergeable(plan))
		cache_for_each(try_merge, &search);
	if (search.found) {
		search.found->refcount++;
		search.found->cache.object_size =
			max(search.found->cache.object_size, (uint32_t)plan->size);
	}
	return search.found;
}

static struct user_cache *set_up(struct user_cache *c, const struct cache_plan *plan)
{
	size_t size = plan->size;
	struct slab_layout layout = { 0, 0 };

	memset(c, 0, sizeof(*c));
	c->refcount = 1;
	c->useroffset = plan->useroffset;
	c->usersize = plan->usersize;
	c->flags = plan->flags;
	c->ctor3 = plan->ctor3;
	c->dtor3 = plan->dtor3;
	fmt_snprint(c->name, sizeof(c->name), "%s", plan->name);
	if (plan->flags & SLAB_DEBUG_FLAGS)
		size = slab_debug_layout(plan->flags, plan->size, plan->align, &layout);
	if (!cache_init(&c->cache, c->name, size, plan->align, 0))
		return NULL;
	/* What is left over in debugged slabs is checked. */
	if (!(plan->flags & SLAB_DEBUG_FLAGS))
		cache_set_colours(&c->cache);
	c->cache.object_size = (uint32_t)plan->size;
	c->cache.offset = layout.offset;
	c->cache.left = layout.left;
	c->cache.keeps_contents = plan->ctor3 || plan->flags & SLAB_TYPESAFE_BY_RCU;
	c->cache.flags = plan->flags;
	c->cache.ctor = plan->ctor;
	c->cache.hooks = cache_hooks(c);
	if (!gfp_always && !(plan->flags & SLAB_FAILSLAB))
		c->cache.slot = c->cache.id * (uint32_t)sizeof(struct thread_slot);
	magazine_setup(&c->cache);
	/* At least as many rounds as asked for, if a magazine can have them. */
	c->cache.max_rounds = (uint16_t)max((unsigned)c->cache.max_rounds,
					    min(plan->sheaf_capacity, (unsigned)MAX_ROUNDS));
	return c;
}

static __cold void complain(const struct cache_plan *plan, const char *what)
{
	fmt_print(2, "libkmalloc: kmem_cache_create(%s) of size %zu: %s\n",
		  plan->name ? plan->name : "(null)", plan->size, what);
}

static const char *plan_error(const struct cache_plan *plan)
{
	if (!plan->name)
		return "no name";
	if (!plan->size || plan->size > KMALLOC_MAX_SIZE)
		return "no size that objects can have";
	if (plan->align && !is_power_of_2(plan->align))
		return "the alignment is no power of two";
	if (plan->align > PAGE_SIZE)
		return "the alignment is more than a page";
	if (plan->use_freeptr_offset && (!(plan->flags & SLAB_TYPESAFE_BY_RCU) ||
					 plan->freeptr_offset > plan->size - sizeof(void *) ||
					 plan->freeptr_offset % sizeof(void *)))
		return "no offset that a free pointer can have";
	if (plan->flags & SLAB_TYPESAFE_BY_RCU && !rcu_is_there())
		return "SLAB_TYPESAFE_BY_RCU needs liburcu in the program";
	return NULL;
}

/* The old interface: on free the constructor may look whether the object is in its first state. */
static void plan_verification(struct cache_plan *plan)
{
	if (!(plan->flags & SLAB_DEBUG_INITIAL))
		return;
	if (plan->ctor3) {
		plan->flags |= SLAB_CONSISTENCY_CHECKS;
	} else {
		complain(plan, "no constructor, but a check of the initial state requested");
		plan->flags &= ~SLAB_DEBUG_INITIAL;
	}
}

static size_t debugged_size(const struct cache_plan *plan)
{
	struct slab_layout layout;

	return slab_debug_layout(plan->flags, plan->size, plan->align, &layout);
}

/* An object and what surrounds it must fit into a slab, and with the letter O into its pages. */
static void plan_debugging(struct cache_plan *plan)
{
	plan->flags = slab_debug_option(plan->name, plan->flags);
	plan_verification(plan);
	if (!(plan->flags & SLAB_DEBUG_FLAGS))
		return;
	if (slab_debug_keeps_order() &&
	    order_of(pages_of(debugged_size(plan))) > order_of(pages_of(plan->size)))
		plan->flags &= ~SLAB_DEBUG_METADATA;
	if (debugged_size(plan) > PAGE_SIZE << MAX_SLAB_ORDER) {
		complain(plan, "objects too large to be debugged");
		plan->flags &= ~(SLAB_DEBUG_FLAGS | SLAB_DEBUG_INITIAL);
	}
}

struct name_search {
	const char *name;
	bool found;
};

static void compare_name(struct kmem_cache *s, void *arg)
{
	struct name_search *search = arg;

	search->found |= user_cache_of(s) && str_equal(str_of(s->name), str_of(search->name));
}

static bool name_is_taken(const char *name)
{
	struct name_search search = { name, false };

	cache_for_each(compare_name, &search);
	return search.found;
}

static struct user_cache *create_planned(const struct cache_plan *plan)
{
	struct user_cache *c;
	void *object;
	bool taken;

	if (!enter_with_cache_cache())
		return NULL;
	if (!slab_alloc(&cache_cache, &object, 1))
		object = NULL;
	os_mutex_lock(&user_caches_lock);
	taken = name_is_taken(plan->name);
	c = find_mergeable(plan);
	if (!c && object)
		c = set_up(object, plan);
	os_mutex_unlock(&user_caches_lock);
	if (object && c != object)
		slab_free(&cache_cache, &object, 1);
	gate_leave();
	if (taken)
		complain(plan, "there is a cache of that name already");
	if (strchr(plan->name, ' '))
		complain(plan, "a name with a space");
	return c;
}

static struct kmem_cache *create_cache(struct cache_plan *plan)
{
	const char *error;
	struct user_cache *c = NULL;

	if (unlikely(gfp_special == ANY_GFP))
		gfp_look_at_options();
	error = plan_error(plan);
	if (error) {
		complain(plan, error);
	} else {
		if (plan->flags & SLAB_TYPESAFE_BY_RCU)
			rcu_prepare();
		plan->align = alignment(plan->flags, plan->size, plan->align);
		plan_debugging(plan);
		c = create_planned(plan);
	}
	if (!c && plan->flags & SLAB_PANIC)
		bug(__FILE__, __LINE__, "SLAB_PANIC: a cache could not be created");
	return c ? &c->cache : NULL;
}

struct kmem_cache *do_cache_create(const char *name, size_t size,
				   const struct kmem_cache_args *args, slab_flags_t flags)
{
	struct cache_plan plan = {
		.name = name,
		.size = size,
		.align = args ? args->align : 0,
		.flags = flags,
		.ctor = args ? args->ctor : NULL,
		.useroffset = args ? args->useroffset : 0,
		.usersize = args ? args->usersize : 0,
		.sheaf_capacity = args ? args->sheaf_capacity : 0,
		.freeptr_offset = args ? args->freeptr_offset : 0,
		.use_freeptr_offset = args && args->use_freeptr_offset,
	};

	if (plan.sheaf_capacity)
		plan.flags |= SLAB_NO_MERGE;
	/* As in the kernel: a window that does not fit is none. */
	if (plan.usersize > size || plan.useroffset > size - plan.usersize)
		plan.usersize = plan.useroffset = 0;
	return create_cache(&plan);
}

struct kmem_cache *__kmem_cache_create_args(const char *name, unsigned size,
					    struct kmem_cache_args *args, slab_flags_t flags)
{
	return do_cache_create(name, size, args, flags);
}

struct kmem_cache *kmem_cache_create(const char *name, unsigned size, unsigned align,
				     slab_flags_t flags, void (*ctor)(void *object))
{
	struct kmem_cache_args args = { .align = align, .ctor = ctor };

	return do_cache_create(name, size, &args, flags);
}

struct kmem_cache *kmem_cache_create_usercopy(const char *name, unsigned size, unsigned align,
					      slab_flags_t flags, unsigned useroffset,
					      unsigned usersize, void (*ctor)(void *object))
{
	struct kmem_cache_args args = {
		.align = align, .useroffset = useroffset, .usersize = usersize, .ctor = ctor,
	};

	return do_cache_create(name, size, &args, flags);
}

/* @offset was the distance of colours in 2.4, which need no choice here, and alignment in 2.6. */
kmem_cache_t *kmem_cache_create_24(const char *name, size_t size, size_t offset,
				   unsigned long flags, kmalloc_ctor3_t ctor, kmalloc_ctor3_t dtor)
{
	struct cache_plan plan = {
		.name = name,
		.size = size,
		.align = is_power_of_2(offset) && offset <= PAGE_SIZE ? offset : 0,
		.flags = (slab_flags_t)flags,
		.ctor3 = ctor,
		.dtor3 = dtor,
	};

	return create_cache(&plan);
}

/*
 * Shrinking and destruction.
 */

/* What threads, the depot and slabs hold free goes back.  Inside the gate. */
static void empty_cache(struct kmem_cache *s)
{
	thread_forget_cache(s);
	depot_trim(s, true);
	slab_shrink(s);
}

int kmem_cache_shrink(struct kmem_cache *s)
{
	int left;

	if (!heap_enter_wait())
		return 1;
	thread_flush_self();
	depot_trim(s, true);
	slab_shrink(s);
	left = READ_ONCE(s->nr_slabs) != 0;
	gate_leave();
	return left;
}

static bool last_reference(struct user_cache *c)
{
	bool last;

	if (!lock_caches())
		return false;
	last = c->refcount <= 1;	/* 0: an earlier attempt found objects */
	c->refcount -= c->refcount != 0;
	unlock_caches();
	return last;
}

static __cold void report_remaining(struct kmem_cache *s)
{
	slab_debug_count_errors(1 + (unsigned long)s->nr_slabs * s->objects - s->nr_free);
	slab_debug_heading(s->name, "Objects remaining on __kmem_cache_shutdown()");
	if (slab_is_debugged(s) && heap_enter_wait()) {
		slab_debug_list_live(s);
		gate_leave();
	}
	fmt_print(2, "WARNING: kmem_cache_destroy %s: Slab cache still has objects\n", s->name);
}

bool do_cache_destroy(struct kmem_cache *s)
{
	struct user_cache *c = user_cache_of(s);
	void *object = c;
	bool empty;

	if (!c) {
		warn("kmem_cache_destroy of %p which is no cache of the program", (void *)s);
		return false;
	}
	if (!last_reference(c))
		return true;
	rcu_barrier_all();
	if (!heap_enter_wait())
		return false;
	empty_cache(s);
	empty = !READ_ONCE(s->nr_slabs);
	gate_leave();
	if (!empty) {
		report_remaining(s);
		return false;
	}
	/* Slabs of a cache that is type-safe wait for readers, and need it until then. */
	if (s->flags & SLAB_TYPESAFE_BY_RCU)
		rcu_barrier_all();
	if (!heap_enter_wait())
		return true;
	cache_fini(s);
	slab_free(&cache_cache, &object, 1);
	gate_leave();
	return true;
}

void kmem_cache_destroy(struct kmem_cache *s)
{
	if (s)
		do_cache_destroy(s);
}

int kmem_cache_destroy_24(kmem_cache_t *s)
{
	return s && do_cache_destroy(s) ? 0 : 1;
}

unsigned kmem_cache_size(struct kmem_cache *s)
{
	return s->object_size;
}

const char *kmem_cache_name(struct kmem_cache *s)
{
	return s->name;
}

bool kmem_cache_charge(void *object, gfp_t gfp)
{
	(void)object;
	(void)gfp;
	return true;
}

bool slab_is_available(void)
{
	return true;
}
