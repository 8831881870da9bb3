/* SPDX-License-Identifier: MIT */
/*
 * The caches as a tree of files, as the kernel shows its own ones below /sys/kernel/slab: a folder
 * for each cache, a file for each attribute.  Tools that read the kernel's tree, such as its
 * slabinfo, read this one.
 *
 * Attributes of mechanisms that are not here and whose value would say nothing have no file;
 * readers take that for 0.  Objects in magazines are not in use, as in slabinfo.  Only
 * objects_partial, which comes from the slabs alone, counts them as in use.
 *
 * Everything about a cache is collected first, and then written outside of the gate.  The cache is
 * pinned meanwhile: its destruction waits.
 *
 * Locks: those of cache_stats_get, none while files are written.
 *
 * References: Linux mm/slub.c (slab_attrs), Documentation/ABI/testing/sysfs-kernel-slab.
 */
#include <errno.h>

#include "kmalloc/api.h"
#include "lib/fmt.h"
#include "observe/stats.h"
#include "os/folder.h"
#include "slab/debug.h"

/* Where one goes on after an error: nowhere, but it is kept. */
struct tree {
	int root;
	int folder;			/* of the cache at hand */
	int error;			/* the first one, as a negative errno */
	struct thread_rounds rounds;
};

struct number {
	const char *name;
	size_t value;
};

/* Where the kernel tells one node's share from another's. */
enum style { PLAIN, BY_NODE };

static void put_text(struct tree *tree, const char *name, const char *text, size_t len)
{
	if (!tree->error)
		tree->error = os_folder_write(tree->folder, name, text, len);
}

static void put_numbers(struct tree *tree, enum style style, const struct number *numbers,
			size_t count)
{
	char text[64];

	for (size_t i = 0; i < count; i++) {
		size_t value = numbers[i].value;
		size_t len = fmt_snprint(text, sizeof(text), "%zu", value);

		if (style == BY_NODE && value)
			len += fmt_snprint(text + len, sizeof(text) - len, " N0=%zu", value);
		text[len++] = '\n';
		put_text(tree, numbers[i].name, text, len);
	}
}

#define PUT(tree, style, numbers)	put_numbers(tree, style, numbers, ARRAY_SIZE(numbers))

static void put_layout(struct tree *tree, const struct kmem_cache *s, const struct user_cache *c)
{
	const struct number numbers[] = {
		{ "align", s->align },
		{ "object_size", s->object_size },
		{ "slab_size", s->size },
		{ "objs_per_slab", s->objects },
		{ "order", s->order },
		{ "sheaf_capacity", slab_is_debugged(s) ? 0u : s->max_rounds },
		{ "min_partial", slab_keep_empty(s) },
		{ "cpu_partial", 0 },
		{ "remote_node_defrag_ratio", 0 },
		{ "aliases", c && c->refcount ? c->refcount - 1 : 0 },
		{ "usersize", c ? c->usersize : 0 },
	};

	PUT(tree, PLAIN, numbers);
}

static void put_flags(struct tree *tree, slab_flags_t flags)
{
	const struct number numbers[] = {
		{ "cache_dma", !!(flags & SLAB_CACHE_DMA) },
		{ "destroy_by_rcu", !!(flags & SLAB_TYPESAFE_BY_RCU) },
		{ "failslab", !!(flags & SLAB_FAILSLAB) },
		{ "hwcache_align", !!(flags & SLAB_HWCACHE_ALIGN) },
		{ "poison", !!(flags & SLAB_POISON) },
		{ "reclaim_account", !!(flags & SLAB_RECLAIM_ACCOUNT) },
		{ "red_zone", !!(flags & SLAB_RED_ZONE) },
		{ "sanity_checks", !!(flags & SLAB_CONSISTENCY_CHECKS) },
		{ "store_user", !!(flags & SLAB_STORE_USER) },
		{ "trace", !!(flags & SLAB_TRACE) },
	};

	PUT(tree, PLAIN, numbers);
}

/* No slab belongs to a thread, and none waits in a list of one. */
static void put_population(struct tree *tree, const struct cache_stats *stats)
{
	const struct number numbers[] = {
		{ "slabs", stats->slabs },
		{ "partial", stats->partial_slabs },
		{ "cpu_slabs", 0 },
		{ "objects", stats->live },
		{ "objects_partial", stats->partial_objects },
		{ "total_objects", stats->objects },
	};

	PUT(tree, BY_NODE, numbers);
	put_text(tree, "slabs_cpu_partial", "0(0)\n", 5);
}

static void put_counts(struct tree *tree, const struct cache_stats *stats)
{
	const struct slab_counts *counts = &stats->counts;
	const struct number numbers[] = {
		{ "alloc_fastpath", stats->alloc_fastpath },
		{ "alloc_slowpath", counts->alloc_slowpath },
		{ "free_fastpath", stats->free_fastpath },
		{ "free_slowpath", counts->free_slowpath },
		{ "sheaf_refill", counts->sheaf_refill },
		{ "sheaf_flush", counts->sheaf_flush },
		{ "sheaf_alloc", stats->sheaf_alloc },
		{ "sheaf_free", stats->sheaf_free },
		{ "barn_get", stats->barn_get },
		{ "barn_get_fail", stats->barn_get_fail },
		{ "barn_put", stats->barn_put },
		{ "barn_put_fail", stats->barn_put_fail },
		{ "sheaf_prefill_slow", stats->sheaf_prefill },
		{ "sheaf_prefill_oversize", stats->sheaf_prefill_oversize },
		{ "sheaf_return_slow", stats->sheaf_return },
		{ "alloc_slab", counts->alloc_slab },
		{ "free_slab", counts->free_slab },
		{ "free_add_partial", counts->free_add_partial },
		{ "free_remove_partial", counts->free_remove_partial },
		{ "order_fallback", 0 },
	};

	PUT(tree, PLAIN, numbers);
}

/* The address; empty without a constructor, as in the kernel. */
static void put_ctor(struct tree *tree, const struct kmem_cache *s, const struct user_cache *c)
{
	uintptr_t ctor = (uintptr_t)s->ctor;
	size_t len = 0;
	char text[32];

	if (c && c->ctor3)
		ctor = (uintptr_t)c->ctor3;
	if (ctor)
		len = fmt_snprint(text, sizeof(text), "%p\n", (void *)ctor);
	put_text(tree, "ctor", text, len);
}

static void put_cache(struct tree *tree, struct kmem_cache *s)
{
	struct user_cache *c = user_cache_of(s);
	struct cache_stats stats;

	if (!cache_stats_get(s, &tree->rounds, &stats)) {
		tree->error = -EAGAIN;
		return;
	}
	put_layout(tree, s, c);
	put_flags(tree, s->flags);
	put_population(tree, &stats);
	put_counts(tree, &stats);
	put_ctor(tree, s, c);
}

/* A name of the program's becomes one of a folder: nothing in it may lead elsewhere. */
static void folder_name(char name[CACHE_NAME_SIZE], const char *cache)
{
	size_t len = fmt_snprint(name, CACHE_NAME_SIZE, "%s", cache);

	for (size_t i = 0; i < len; i++)
		if (name[i] == '/' || (!i && name[i] == '.'))
			name[i] = '!';
}

static void write_cache(struct kmem_cache *s, void *arg)
{
	struct tree *tree = arg;
	char name[CACHE_NAME_SIZE];

	if (tree->error)
		return;
	folder_name(name, s->name);
	tree->folder = os_folder_enter(tree->root, name);
	if (tree->folder < 0) {
		tree->error = tree->folder;
		return;
	}
	put_cache(tree, s);
	os_folder_close(tree->folder);
}

static int write_tree(const char *directory)
{
	struct tree tree = { .root = os_folder_open(directory) };

	if (tree.root < 0)
		return tree.root;
	if (thread_rounds_get(&tree.rounds))
		cache_for_each(write_cache, &tree);
	else
		tree.error = -EAGAIN;
	os_folder_close(tree.root);
	return tree.error;
}

__export int kmalloc_slab_tree(const char *directory)
{
	int error = write_tree(directory);

	if (!error)
		return 0;
	errno = -error;
	return -1;
}
