/* SPDX-License-Identifier: MIT */
/*
 * Debugged caches as a whole: all objects checked, those in use listed, who allocated them counted.
 *
 * Locks: debug_lock.
 */
#include "slab/debug_impl.h"

#include <string.h>

#include "lib/bitmap.h"

typedef void (*object_fn)(struct page *slab, unsigned char *object, bool live, void *arg);

/* Calls @fn for each object of the cache; under debug_lock. */
static void for_each_object(struct kmem_cache *s, object_fn fn, void *arg)
{
	struct list_node *pos;
	unsigned i;

	list_for_each(pos, &s->debug_slabs) {
		struct page *slab = slab_of_debug_node(pos);

		for (i = 0; i < s->objects; i++)
			fn(slab, object_at(slab, i), !bitmap_test(slab_bitmap(slab), i), arg);
	}
}

static void check_one(struct page *slab, unsigned char *object, bool live, void *arg)
{
	(void)arg;
	debug_check_object(slab, object, live ? SLUB_RED_ACTIVE : SLUB_RED_INACTIVE);
}

unsigned slab_debug_validate(struct kmem_cache *s)
{
	unsigned long before = slab_debug_errors();
	struct list_node *pos;

	slab_debug_lock();
	list_for_each(pos, &s->debug_slabs) {
		debug_check_tail(slab_of_debug_node(pos));
		debug_check_chain(slab_of_debug_node(pos));
	}
	for_each_object(s, check_one, NULL);
	slab_debug_unlock();
	return (unsigned)(slab_debug_errors() - before);
}

static void list_one(struct page *slab, unsigned char *object, bool live, void *arg)
{
	struct fmt_out *out = arg;

	if (!live)
		return;
	fmt_out_printf(out, "Object %p @offset=%zu\n", (void *)object,
		       (size_t)((uintptr_t)object - page_to_addr(slab)));
	debug_print_tracks(out, slab->cache, object);
}

void slab_debug_list_live(struct kmem_cache *s)
{
	struct fmt_out out;
	char buf[512];

	fmt_out_fd(&out, buf, sizeof(buf), 2);
	slab_debug_lock();
	for_each_object(s, list_one, &out);
	slab_debug_unlock();
	fmt_out_flush(&out);
}

/*
 * Call sites.
 */

struct site_list {
	struct slab_call_site *sites;
	size_t n, max;
	enum track_kind kind;
	uint64_t now;
};

static struct slab_call_site *site_of(struct site_list *list, const void *caller)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->sites[i].caller == caller)
			return &list->sites[i];
	if (list->n == list->max)
		return NULL;
	list->sites[list->n] = (struct slab_call_site){
		.caller = caller, .min_age = UINT64_MAX, .min_thread = UINT32_MAX,
	};
	return &list->sites[list->n++];
}

/* Live objects by who allocated them; free ones by who freed them, if anybody ever did. */
static void count_one(struct page *slab, unsigned char *object, bool live, void *arg)
{
	struct site_list *list = arg;
	const struct track *track = &tracks_of(slab->cache, object)[list->kind];
	struct slab_call_site *site;
	uint64_t age = list->now - track->when;

	if (live != (list->kind == TRACK_ALLOC) || !track->addrs[0])
		return;
	site = site_of(list, track->addrs[0]);
	if (!site)
		return;
	site->count++;
	site->min_age = min(site->min_age, age);
	site->max_age = max(site->max_age, age);
	site->sum_age += age;
	site->min_thread = min(site->min_thread, track->thread);
	site->max_thread = max(site->max_thread, track->thread);
}

static void sort_by_count(struct slab_call_site *sites, size_t n)
{
	size_t i, j;

	for (i = 1; i < n; i++) {
		struct slab_call_site site = sites[i];

		for (j = i; j && sites[j - 1].count < site.count; j--)
			sites[j] = sites[j - 1];
		sites[j] = site;
	}
}

size_t slab_debug_call_sites(struct kmem_cache *s, bool freed, struct slab_call_site *sites,
			     size_t max)
{
	struct site_list list = {
		.sites = sites,
		.max = max,
		.kind = freed ? TRACK_FREE : TRACK_ALLOC,
		.now = os_clock_ms(),
	};

	if (!(s->flags & SLAB_STORE_USER))
		return 0;
	slab_debug_lock();
	for_each_object(s, count_one, &list);
	slab_debug_unlock();
	sort_by_count(sites, list.n);
	return list.n;
}

void slab_debug_print_tracks(struct page *slab, const void *object)
{
	struct fmt_out out;
	char buf[512];

	fmt_out_fd(&out, buf, sizeof(buf), 2);
	slab_debug_lock();
	if (debug_is_object(slab, object))
		debug_print_tracks(&out, slab->cache, object);
	slab_debug_unlock();
	fmt_out_flush(&out);
}
