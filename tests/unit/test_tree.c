/* SPDX-License-Identifier: MIT */
/*
 * The tree of caches: what is in its files is what the caches are and hold; names of caches and
 * links in the folder lead nowhere else; errors come back as errno.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kmalloc/heap.h"
#include "observe/stats.h"

#define KMALLOC_BUILDING
#include <linux/slab.h>

static char parent[64], folder[80];

static void setup(void)
{
	strcpy(parent, "/tmp/libkmalloc-tree.XXXXXX");
	cr_assert(mkdtemp(parent) != NULL);
	snprintf(folder, sizeof(folder), "%s/tree", parent);
	cr_assert(mkdir(folder, 0755) == 0);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", parent);
	cr_expect(system(command) == 0);
}

TestSuite(tree, .init = setup, .fini = teardown, .timeout = 60);

/* The line in the file of that attribute. */
static const char *read_file(const char *cache, const char *attribute)
{
	static char text[128];
	char path[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, cache, attribute);
	fd = open(path, O_RDONLY);
	cr_assert(fd >= 0, "%s", path);
	n = read(fd, text, sizeof(text) - 1);
	cr_assert(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void expect_text(const char *cache, const char *attribute, const char *text)
{
	const char *is = read_file(cache, attribute);

	cr_expect(!strcmp(is, text), "%s of %s is %s", attribute, cache, is);
}

static void expect_number(const char *cache, const char *attribute, size_t number)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu\n", number);
	expect_text(cache, attribute, text);
}

static void expect_nodes(const char *cache, const char *attribute, size_t number)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu N0=%zu\n", number, number);
	expect_text(cache, attribute, number ? text : "0\n");
}

static void no_ctor(void *object)
{
	(void)object;
}

Test(tree, attributes_of_a_cache)
{
	struct kmem_cache *s = kmem_cache_create("shown", 100, 16, SLAB_HWCACHE_ALIGN, no_ctor);
	char ctor[32];

	cr_assert(s && kmem_cache_alloc(s, GFP_KERNEL));
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_number("shown", "object_size", 100);
	expect_number("shown", "slab_size", s->size);
	expect_number("shown", "align", s->align);
	expect_number("shown", "objs_per_slab", s->objects);
	expect_number("shown", "order", s->order);
	expect_number("shown", "sheaf_capacity", s->max_rounds);
	expect_number("shown", "hwcache_align", 1);
	expect_number("shown", "poison", 0);
	expect_number("shown", "aliases", 0);
	expect_nodes("shown", "slabs", 1);
	expect_nodes("shown", "objects", 1);
	expect_nodes("shown", "total_objects", s->objects);
	snprintf(ctor, sizeof(ctor), "%p\n", (void *)(uintptr_t)no_ctor);
	expect_text("shown", "ctor", ctor);
	expect_text("kmalloc-64", "ctor", "");
	expect_number("kmalloc-64", "object_size", 64);
}

Test(tree, flags_have_files)
{
	static const struct {
		const char *attribute;
		slab_flags_t flag;
	} flags[] = {
		{ "sanity_checks", SLAB_CONSISTENCY_CHECKS },
		{ "red_zone", SLAB_RED_ZONE },
		{ "poison", SLAB_POISON },
		{ "store_user", SLAB_STORE_USER },
		{ "trace", SLAB_TRACE },
		{ "failslab", SLAB_FAILSLAB },
		{ "reclaim_account", SLAB_RECLAIM_ACCOUNT },
		{ "cache_dma", SLAB_CACHE_DMA },
	};
	enum { COUNT = sizeof(flags) / sizeof(flags[0]) };

	for (unsigned i = 0; i < COUNT; i++)
		cr_assert(kmem_cache_create(flags[i].attribute, 64, 0,
					    flags[i].flag | SLAB_NO_MERGE, NULL));
	cr_assert(kmalloc_slab_tree(folder) == 0);
	for (unsigned i = 0; i < COUNT; i++)
		for (unsigned k = 0; k < COUNT; k++)
			expect_number(flags[i].attribute, flags[k].attribute, i == k);
}

/* A second tree in the same place tells what is true now. */
Test(tree, follows_the_cache)
{
	struct kmem_cache *s = kmem_cache_create("followed", 512, 0, SLAB_NO_MERGE, NULL);
	void *objects[500];

	for (unsigned i = 0; i < 500; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_nodes("followed", "objects", 500);
	for (unsigned i = 100; i < 500; i++)
		kmem_cache_free(s, objects[i]);
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_nodes("followed", "objects", 100);
	for (unsigned i = 0; i < 100; i++)
		kmem_cache_free(s, objects[i]);
	kmem_cache_shrink(s);
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_nodes("followed", "slabs", 0);
	expect_number("followed", "free_slab", strtoul(read_file("followed", "alloc_slab"), NULL, 10));
}

/* Objects that no magazine has ever seen: partial slabs are the only ones with free objects. */
Test(tree, partial_slabs)
{
	struct kmem_cache *s = kmem_cache_create("partial", 500, 0, SLAB_POISON, NULL);
	unsigned nr = 3u * s->objects;
	static void *objects[3 * MAX_SLAB_OBJECTS];

	for (unsigned i = 0; i < nr; i++)
		objects[i] = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, objects[0]);
	kmem_cache_free(s, objects[1]);
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_nodes("partial", "slabs", 3);
	expect_nodes("partial", "partial", 1);
	expect_nodes("partial", "objects_partial", s->objects - 2u);
	expect_nodes("partial", "objects", nr - 2);
	expect_number("partial", "alloc_slowpath", nr);
	expect_number("partial", "free_slowpath", 2);
	expect_number("partial", "alloc_slab", 3);
	expect_number("partial", "free_slab", 0);
	expect_number("partial", "free_add_partial", 1);
	expect_number("partial", "free_remove_partial", 0);
	for (unsigned i = 2; i < nr; i++)
		kmem_cache_free(s, objects[i]);
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_nodes("partial", "slabs", 1);
	expect_nodes("partial", "partial", 1);
	expect_nodes("partial", "objects_partial", 0);
	expect_number("partial", "free_slab", 2);
	expect_number("partial", "free_add_partial", 3);
	expect_number("partial", "free_remove_partial", 3);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

Test(tree, names_lead_nowhere_else)
{
	char path[128];

	cr_assert(kmem_cache_create("..", 24, 0, SLAB_NO_MERGE, NULL));
	cr_assert(kmem_cache_create("../escaped", 24, 0, SLAB_NO_MERGE, NULL));
	cr_assert(kmalloc_slab_tree(folder) == 0);
	expect_number("!.", "object_size", 24);
	expect_number("!.!escaped", "object_size", 24);
	snprintf(path, sizeof(path), "%s/escaped", parent);
	cr_expect(!is_there(path));
	snprintf(path, sizeof(path), "%s/object_size", parent);
	cr_expect(!is_there(path));
}

static int errno_of_tree(const char *path)
{
	errno = 0;
	cr_expect(kmalloc_slab_tree(path) == -1);
	return errno;
}

Test(tree, links_are_not_followed)
{
	char path[128], target[128];

	heap_init();
	snprintf(target, sizeof(target), "%s/target", folder);
	snprintf(path, sizeof(path), "%s/kmalloc-64", folder);
	cr_assert(mkdir(target, 0755) == 0 && symlink(target, path) == 0);
	cr_expect(errno_of_tree(folder) == ENOTDIR);
	cr_assert(unlink(path) == 0 && mkdir(path, 0755) == 0);
	snprintf(path, sizeof(path), "%s/kmalloc-64/order", folder);
	cr_assert(symlink(target, path) == 0);
	cr_expect(errno_of_tree(folder) == ELOOP);
}

Test(tree, errors)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/none", folder);
	cr_expect(errno_of_tree(path) == ENOENT);
	close(open(path, O_CREAT | O_WRONLY, 0644));
	cr_expect(errno_of_tree(path) == ENOTDIR);
	heap_init();
	cr_assert(gate_enter());
	cr_expect(errno_of_tree(folder) == EAGAIN);
	gate_leave();
	errno = 7;
	cr_expect(kmalloc_slab_tree(folder) == 0 && errno == 7);
}
