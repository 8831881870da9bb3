/* SPDX-License-Identifier: MIT */
/*
 * What is wrong: with a pointer that should be an object in use, and with the books of a cache.
 *
 * Locks: s->lock for the books; a report is written without it.
 */
#include "lib/bitmap.h"
#include "lib/bug.h"
#include "slab/slab.h"

static struct page *slab_at(uintptr_t addr)
{
	struct region *r = region_of(addr);

	return r ? slab_of(r, addr) : NULL;
}

void slab_report(const void *ptr)
{
	uintptr_t addr = (uintptr_t)ptr;
	struct page *slab = slab_at(addr);
	struct kmem_cache *s;
	size_t into;

	if (!ptr) {
		warn("kmem_cache_free of NULL: nothing is freed");
		return;
	}
	if (!slab || !(s = slab->cache)) {
		corruption("double free of %p (its slab is gone already)", ptr);
		return;
	}
	if (addr < slab_base(slab)) {
		corruption("free of %p which is before the objects of a slab of cache %s", ptr,
			   s->name);
		return;
	}
	into = addr - slab_object(slab, slab_object_index(slab, addr));
	if (into)
		corruption("free of %p which points %zu bytes into an object of cache %s at %p",
			   ptr, into, s->name, (void *)(addr - into));
	else
		corruption("double free of %p (cache %s, size %u)", ptr, s->name, s->object_size);
}

/*
 * Checking.
 */

static unsigned slab_errors(struct kmem_cache *s, struct page *slab, size_t *free_objects)
{
	unsigned weight = bitmap_count_range(slab_bitmap(slab), 0, s->objects), i, errors = 0;

	for (i = 0; i < slab->first_word; i++)
		errors += slab_bitmap(slab)[i] != 0;
	*free_objects += weight;
	return errors + (slab->type != PAGE_SLAB) + (slab->cache != s) +
	       (weight != slab->free_objects);
}

/* What was counted must add up to what is there. */
static unsigned count_errors(const struct kmem_cache *s)
{
	const struct slab_counts *c = &s->counts;
	size_t in_use = (size_t)s->nr_slabs * s->objects - s->nr_free;

	return (c->alloc_slab - c->free_slab != s->nr_slabs) +
	       (c->alloc_slowpath + c->sheaf_refill - c->free_slowpath - c->sheaf_flush != in_use);
}

unsigned slab_check(struct kmem_cache *s)
{
	unsigned i, errors = 0, nr_empty = 0, nr_partial = 0;
	struct list_node *pos;
	size_t free_objects = 0;

	slab_lock(s);
	for (i = 0; i < NR_FULLNESS; i++) {
		list_for_each(pos, &s->partial[i]) {
			errors += slab_errors(s, list_entry(pos, struct page, lru), &free_objects);
			nr_partial++;
		}
		errors += list_empty(&s->partial[i]) != !(s->nonempty >> i & 1);
	}
	list_for_each(pos, &s->empty) {
		errors += slab_errors(s, list_entry(pos, struct page, lru), &free_objects);
		nr_empty++;
	}
	errors += (free_objects != s->nr_free) + (nr_empty != s->nr_empty) +
		  (nr_partial != s->nr_partial) + count_errors(s);
	os_mutex_unlock(&s->lock);
	return errors;
}
