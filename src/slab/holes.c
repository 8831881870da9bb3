/* SPDX-License-Identifier: MIT */
/*
 * Holes: pages of a slab on which no object is in use.  A few survivors of a burst can keep many
 * slabs alive; their pages go back all the same, and come back as zeroes when an object on them is
 * used again.  Not for constructed objects, whose contents must stay.
 *
 * Meanwhile the slab is isolated: it is on no list, so that no object is taken from it, while
 * objects may well be freed into it.
 *
 * Locks: s->lock, but not while the system is called.
 */
#include "lib/bitmap.h"
#include "mm/zone.h"
#include "slab/slab.h"

static struct page *isolate_slab(struct kmem_cache *s, struct list_node *head, bool all)
{
	struct list_node *pos;

	list_for_each(pos, head) {
		struct page *slab = list_entry(pos, struct page, lru);
		bool used = slab->flags & PG_USED;

		slab->flags &= (uint8_t)~PG_USED;
		if (!(slab->flags & PG_HOLES) || (used && !all))
			continue;
		slab_unlist(s, slab);
		slab->flags = PG_ISOLATED;
		return slab;
	}
	return NULL;
}

/* Between these distances from the slab's start. */
static bool range_is_free(struct kmem_cache *s, struct page *slab, size_t start, size_t end)
{
	size_t colour = slab->colour;
	unsigned i, last;

	if (end <= colour)
		return true;
	i = slab_index(s, max(start, colour) - colour);
	last = min(slab_index(s, end - 1 - colour), s->objects - 1u);
	return i > last ||
	       bitmap_count_range(slab_bitmap(slab), i, last - i + 1) == last - i + 1;
}

/* From @at on, the first page with an object in use, or the first without one. */
static size_t next_page(struct kmem_cache *s, struct page *slab, size_t at, bool in_use)
{
	while (at < PAGE_SIZE << s->order &&
	       range_is_free(s, slab, at, at + PAGE_SIZE) == in_use)
		at += PAGE_SIZE;
	return at;
}

/* The next pages without an object in use, from *start to *end. */
static bool next_hole(struct kmem_cache *s, struct page *slab, size_t *start, size_t *end)
{
	os_mutex_lock(&s->lock);
	*start = next_page(s, slab, *start, false);
	*end = next_page(s, slab, *start, true);
	os_mutex_unlock(&s->lock);
	return *start < *end;
}

/* The bits only ever become set while the slab is isolated: a free page stays free. */
static size_t purge_slab(struct kmem_cache *s, struct page *slab)
{
	char *base = (char *)page_to_addr(slab);
	size_t start = 0, end, pages = 0;

	while (next_hole(s, slab, &start, &end)) {
		if (!os_purge(base + start, end - start))
			pages += (end - start) >> PAGE_SHIFT;
		start = end;
	}
	return pages;
}

static void rejoin_slab(struct kmem_cache *s, struct page *slab)
{
	os_mutex_lock(&s->lock);
	slab->flags &= (uint8_t)~PG_ISOLATED;
	slab_list(s, slab);
	os_mutex_unlock(&s->lock);
}

static struct page *next_with_holes(struct kmem_cache *s, bool all)
{
	struct page *slab = NULL;
	unsigned i;

	os_mutex_lock(&s->lock);
	for (i = 0; i < NR_FULLNESS && !slab; i++)
		slab = isolate_slab(s, &s->partial[i], all);
	if (!slab)
		slab = isolate_slab(s, &s->empty, all);
	os_mutex_unlock(&s->lock);
	return slab;
}

size_t slab_purge_holes(struct kmem_cache *s, bool all)
{
	struct page *slab;
	size_t pages = 0;

	if (s->ctor || s->hooks)
		return 0;
	while ((slab = next_with_holes(s, all))) {
		pages += purge_slab(s, slab);
		rejoin_slab(s, slab);
	}
	zone_count_purged(pages);
	return pages;
}
