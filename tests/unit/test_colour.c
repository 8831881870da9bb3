/* SPDX-License-Identifier: MIT */
/*
 * Colours: where the objects of a slab begin.
 */
#include "unit.h"

#include "kmalloc/api.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/zone.h"

#define MAX_SLABS	70

static struct page *slab_of_object(const void *object)
{
	return slab_of(region_of((uintptr_t)object), (uintptr_t)object);
}

static struct kmem_cache *coloured(size_t size, unsigned align)
{
	struct kmem_cache_args args = { .align = align };
	struct kmem_cache *s = do_cache_create("coloured", size, &args, SLAB_NO_MERGE);

	cr_assert(s);
	return s;
}

/* All objects of a slab in one go. */
static unsigned fill_slab(struct kmem_cache *s, void **objects)
{
	unsigned got;

	cr_assert(heap_enter());
	got = slab_alloc(s, objects, s->objects);
	gate_leave();
	cr_assert_eq(got, s->objects);
	return got;
}

static void free_objects(struct kmem_cache *s, void **objects, unsigned n)
{
	cr_assert(heap_enter());
	slab_free(s, objects, n);
	gate_leave();
}

Test(colour, sizes_that_have_some)
{
	static const struct { size_t size; unsigned align, colours, unit; } rows[] = {
		{ 1024, 0, 1, 0 }, { 8, 0, 1, 0 }, { 4096, 0, 1, 0 }, { 32768, 0, 1, 0 },
		{ 1536, 0, 17, 64 }, { 1536, 256, 5, 256 }, { 1536, 512, 3, 512 },
		{ 1280, 0, 5, 64 }, { 3072, 0, 17, 64 }, { 5120, 0, 64, 64 }, { 5120, 1024, 4, 1024 },
		{ 12288, 4096, 1, 4096 }, { 1032, 0, 9, 64 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kmem_cache *s = coloured(rows[i].size, rows[i].align);

		cr_assert_eq(s->colours, rows[i].colours, "%zu: %u", rows[i].size, s->colours);
		cr_assert_eq(s->colour_unit, rows[i].unit, "%zu: %u", rows[i].size, s->colour_unit);
	}
	/* Whose alignment goes beyond what they say. */
	for (i = 1; i <= NR_KMALLOC_CLASSES; i++)
		cr_assert(!kmalloc_caches[i].size || kmalloc_caches[i].colours == 1);
}

/* Round and round, aligned, within the slab; the bits and the addresses agree. */
Test(colour, rotate_and_keep_alignment)
{
	static void *objects[MAX_SLABS][64];
	static const struct { size_t size; unsigned align; } rows[] = {
		{ 1536, 0 }, { 1536, 512 }, { 5120, 0 }, { 3000, 8 }, { 1280, 64 }, { 2304, 256 },
	};
	unsigned row, i, j;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		struct kmem_cache *s = coloured(rows[row].size, rows[row].align);

		for (i = 0; i < MAX_SLABS; i++) {
			unsigned n = fill_slab(s, objects[i]);
			struct page *slab = slab_of_object(objects[i][0]);

			cr_assert_eq(slab->colour, i % s->colours * s->colour_unit);
			for (j = 0; j < n; j++) {
				uintptr_t addr = (uintptr_t)objects[i][j];

				cr_assert_eq(slab_of_object(objects[i][j]), slab);
				cr_assert_eq(addr, slab_object(slab, n - 1 - j));
				cr_assert_eq(slab_object_index(slab, addr + s->size - 1), n - 1 - j);
				cr_assert_eq(addr & (s->align - 1), 0);
				cr_assert_leq(addr + s->size, page_to_addr(slab) + (PAGE_SIZE << s->order));
				memset(objects[i][j], (int)i, s->size);
			}
		}
		cr_assert_eq(slab_check(s), 0);
		for (i = 0; i < MAX_SLABS; i++)
			free_objects(s, objects[i], s->objects);
		cr_assert_eq(slab_check(s), 0);
		cr_assert(do_cache_destroy(s));
	}
}

/* The same for those that hand objects out from random places. */
Test(colour, scattered_objects_have_it_too)
{
	struct kmem_cache *s = coloured(1536, 0);
	void *objects[64];
	unsigned i, round;

	s->scatter = 1;
	for (round = 0; round < 3; round++) {
		fill_slab(s, objects);
		for (i = 0; i < s->objects; i++)
			cr_assert_eq(((uintptr_t)objects[i] - slab_base(slab_of_object(objects[i]))) %
				     s->size, 0);
		cr_assert_eq(slab_of_object(objects[0])->colour, round * 64);
	}
	free_objects(s, objects, s->objects);
	cr_assert_eq(slab_check(s), 0);
}

/* A cache with small colours is not the one for objects that need more alignment. */
Test(colour, alike_caches_need_alike_alignment)
{
	struct kmem_cache_args args = { .align = 512 };
	struct kmem_cache *s = do_cache_create("small", 1536, NULL, 0);
	struct kmem_cache *t = do_cache_create("large", 1536, &args, 0);
	struct kmem_cache *u = do_cache_create("small too", 1536, NULL, 0);

	cr_assert(s != t && (u == s || u == t));
}

/* In a slab of the second colour: what is before the first object, in it, and behind the last. */
Test(colour, pointers_are_named_right)
{
	struct kmem_cache *s = coloured(1536, 0);
	void *objects[2][64];
	struct heap_object found;
	struct captured said;
	char expected[200];
	struct page *slab;
	uintptr_t first;

	fill_slab(s, objects[0]);
	fill_slab(s, objects[1]);
	first = (uintptr_t)objects[1][s->objects - 1];
	slab = slab_of_object((void *)first);
	cr_assert(slab->colour == 64 && first == page_to_addr(slab) + 64);
	heap_find((void *)(first + 1536 + 100), &found);
	cr_assert(found.kind == HEAP_SLAB && found.start == first + 1536 && found.size == 1536);
	heap_find((void *)(first - 1), &found);
	cr_assert(found.kind == HEAP_SLAB && found.start == page_to_addr(slab));

	corruption_is_fatal = false;
	capture_begin(&said);
	heap_free((void *)(first + 100));
	snprintf(expected, sizeof(expected), "libkmalloc: free of 0x%lx which points 100 bytes into an "
		 "object of cache coloured at 0x%lx\n", first + 100, first);
	cr_assert_str_eq(capture_end(&said), expected);
	capture_begin(&said);
	heap_free((void *)(first - 8));
	snprintf(expected, sizeof(expected), "libkmalloc: free of 0x%lx which is before the objects of "
		 "a slab of cache coloured\n", first - 8);
	cr_assert_str_eq(capture_end(&said), expected);
}

/* All but one object at each end are freed: the pages between go back, the two objects stay. */
Test(colour, holes_do_not_touch_objects)
{
	struct kmem_cache *s = coloured(5120, 0);
	unsigned char *first, *last;
	void *objects[64];
	unsigned i;

	for (i = 0; i < 40; i++)
		fill_slab(s, objects);
	cr_assert_eq(slab_of_object(objects[0])->colour, 39 * 64);
	for (i = 0; i < s->objects; i++)
		memset(objects[i], 0x5d, 5120);
	last = objects[0];
	first = objects[s->objects - 1];
	free_objects(s, objects + 1, s->objects - 2u);
	cr_assert(heap_enter());
	cr_assert_gt(slab_purge_holes(s, true), 8);
	gate_leave();
	for (i = 0; i < 5120; i++)
		cr_assert(first[i] == 0x5d && last[i] == 0x5d);
	cr_assert(all_zero((char *)first + 8192, 5120));
	cr_assert_eq(slab_check(s), 0);
}
