/* SPDX-License-Identifier: MIT */
/*
 * Slabs: objects are distinct, aligned and inside; counters and lists agree with a model; misuse is
 * found and named; constructors run once an object; empty slabs go back but for one.
 */
#include "unit.h"

#include "kmalloc/sizes.h"
#include "lib/bits.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/zone.h"
#include "os/options.h"

static struct kmem_cache cache;

static void setup(void)
{
	zone_init();
	corruption_is_fatal = false;
}

TestSuite(slab, .init = setup, .timeout = 120);

static void cache_make(const char *name, size_t size, size_t align)
{
	cr_assert(cache_init(&cache, name, size, align, 0));
}

/* All @n, however many calls it takes; objs[0 … n - 1] are filled from the end. */
static void alloc_all(struct kmem_cache *s, void **objs, unsigned n)
{
	while (n) {
		unsigned got = slab_alloc(s, objs, n);

		cr_assert(got > 0 && got <= n);
		n -= got;
	}
}

static void expect_good_object(const struct kmem_cache *s, void *object)
{
	uintptr_t addr = (uintptr_t)object;
	struct page *slab = slab_of(region_of(addr), addr);
	uintptr_t base = slab_base(slab);

	cr_assert(slab->type == PAGE_SLAB && slab->cache == s, "%s", s->name);
	cr_assert((addr - base) % s->size == 0, "%s", s->name);
	cr_assert(addr + s->size <= base + (PAGE_SIZE << s->order), "%s", s->name);
	cr_assert(addr % s->align == 0, "%s", s->name);
	cr_assert(addr % min((size_t)1 << lowest_bit(s->size), GRANULE_SIZE) == 0, "%s", s->name);
}

static void tag(const struct kmem_cache *s, void *object)
{
	memset(object, (int)((uintptr_t)object >> 4 & 0xff), s->size);
	memcpy(object, &object, sizeof(object));
}

static bool tag_intact(const struct kmem_cache *s, void *object)
{
	const unsigned char *bytes = object;

	return memcmp(object, &object, sizeof(object)) == 0 &&
	       (s->size <= sizeof(object) ||
		bytes[s->size - 1] == ((uintptr_t)object >> 4 & 0xff));
}

static void expect_no_overlap(struct kmem_cache *s, void **objs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		expect_good_object(s, objs[i]);
		tag(s, objs[i]);
	}
	for (unsigned i = 0; i < n; i++)
		cr_assert(tag_intact(s, objs[i]), "%s: object %u of %u", s->name, i, n);
}

/* A bit more than two slabs of each kmalloc cache; a slab of large objects is not kept. */
static void fill_and_empty(struct kmem_cache *s)
{
	unsigned kept = s->size <= 1024;
	static void *objs[2 * MAX_SLAB_OBJECTS + 3];
	unsigned n = 2 * s->objects + 3;

	alloc_all(s, objs, n);
	expect_no_overlap(s, objs, n);
	cr_assert(s->nr_slabs == 3 && s->nr_free == 3 * s->objects - n, "%s", s->name);
	cr_assert(slab_check(s) == 0, "%s", s->name);
	slab_free(s, objs, n);
	cr_assert(s->nr_slabs == kept && s->nr_free == kept * s->objects, "%s", s->name);
	cr_assert(slab_check(s) == 0, "%s", s->name);
	cr_assert(slab_shrink(s) == (size_t)kept << s->order, "%s", s->name);
	cr_assert(s->nr_slabs == 0 && s->nr_free == 0, "%s", s->name);
}

Test(slab, objects_of_all_classes_are_distinct_aligned_and_inside)
{
	sizes_init(SIZE_CLASSES_QUARTER);
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		fill_and_empty(&kmalloc_caches[c]);
	cr_assert(zone.nr_free == zone.managed);
	cr_assert(zone_check() == 0);
}

Test(slab, odd_sizes_and_alignments)
{
	static const size_t sizes[] = { 1, 8, 24, 40, 100, 1000, 3000, 5000, 70000, 500000 };
	static struct kmem_cache caches[ARRAY_SIZE(sizes)][4];

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned k = 0; k < 4; k++) {
			cr_assert(cache_init(&caches[i][k], "odd", sizes[i], 8u << 3 * k, 0));
			fill_and_empty(&caches[i][k]);
		}
}

/* One refill: neighbours in memory, the lowest address first out. */
Test(slab, objects_come_in_order_of_address)
{
	void *objs[50];

	cache_make("ordered", 64, 16);
	cr_assert(slab_alloc(&cache, objs, 50) == 50);
	for (int i = 49; i > 0; i--)
		cr_assert((char *)objs[i - 1] - (char *)objs[i] == 64);
}

static struct page *slab_of_object(void *object)
{
	return slab_of(region_of((uintptr_t)object), (uintptr_t)object);
}

Test(slab, objects_come_from_the_fullest_slab)
{
	static void *objs[8 * 128];
	struct page *slabs[8];
	void *object;

	cache_make("fullest", 128, 16);
	cr_assert(cache.objects == 128);
	alloc_all(&cache, objs, 8 * 128);
	for (unsigned i = 0; i < 8; i++) {
		slabs[i] = slab_of_object(objs[i * 128]);
		/* In an order that is neither ascending nor descending. */
		slab_free(&cache, objs + i * 128, (i * 3 % 8 + 1) * 15 % 121);
	}
	cr_assert(slab_check(&cache) == 0);
	for (unsigned left = 0, last = 0; cache.nr_free; last = left) {
		cr_assert(slab_alloc(&cache, &object, 1) == 1);
		left = slab_of_object(object)->free_objects + 1u;
		cr_assert(left == last - 1 || last <= 1, "%u free after %u", left, last);
		for (unsigned i = 0; i < 8; i++)
			cr_assert(!slabs[i]->free_objects || slabs[i]->free_objects + 1u >= left);
	}
	cr_assert(cache.nr_free == 0 && cache.nr_slabs == 8);
}

Test(slab, one_empty_slab_is_kept)
{
	static void *objs[5 * 128];

	cache_make("empties", 128, 16);
	alloc_all(&cache, objs, 5 * 128);
	slab_free(&cache, objs, 3 * 128);
	cr_assert(cache.nr_empty == 1 && cache.nr_slabs == 3);
	slab_free(&cache, objs + 3 * 128, 2 * 128);
	cr_assert(cache.nr_empty == 1 && cache.nr_slabs == 1);
	alloc_all(&cache, objs, 1);
	cr_assert(cache.nr_empty == 0 && cache.nr_slabs == 1);
	slab_free(&cache, objs, 1);
	cr_assert(slab_shrink(&cache) == 4 && slab_shrink(&cache) == 0);
}

enum { MAGIC = 0x5eed };
static unsigned constructed;

static void construct(void *object)
{
	*(int *)object = MAGIC;
	constructed++;
}

Test(slab, constructors_run_once_an_object)
{
	static void *objs[300];

	cache_make("constructed", 128, 16);
	cache.ctor = construct;
	for (int round = 0; round < 20; round++) {
		alloc_all(&cache, objs, 300);
		for (int i = 0; i < 300; i++)
			cr_assert(*(int *)objs[i] == MAGIC);
		/* Object 299 keeps its slab, so the same three serve every round. */
		slab_free(&cache, objs, round == 19 ? 300 : 128);
		if (round == 0)
			cr_assert(constructed == 3 * 128);
		if (round < 19)
			slab_free(&cache, objs + 128, 299 - 128);
		if (round < 19)
			slab_free(&cache, objs + 299, 1);
	}
	cr_assert(constructed % 128 == 0);
	cr_assert(slab_check(&cache) == 0);
}

static void expect_report(void *object, const char *text)
{
	struct captured c;

	capture_begin(&c);
	slab_free(&cache, &object, 1);
	cr_assert_str_eq(capture_end(&c), text);
	cr_assert(slab_check(&cache) == 0);
}

Test(slab, double_free_is_reported)
{
	void *objs[2];
	char text[256];

	cache_make("victims", 100, 16);
	alloc_all(&cache, objs, 2);
	slab_free(&cache, objs, 1);
	snprintf(text, sizeof(text), "libkmalloc: double free of %p (cache victims, size 100)\n",
		 objs[0]);
	expect_report(objs[0], text);
	cr_assert(cache.nr_free == cache.objects - 1u);
}

Test(slab, free_of_an_inside_is_reported)
{
	char *object, text[256];

	cache_make("victims", 100, 16);
	alloc_all(&cache, (void **)&object, 1);
	snprintf(text, sizeof(text), "libkmalloc: free of %p which points 20 bytes into an object "
		 "of cache victims at %p\n", (void *)(object + 20), (void *)object);
	expect_report(object + 20, text);
	cr_assert(cache.nr_free == cache.objects - 1u);
}

Test(slab, double_free_is_reported_after_the_slab_has_gone)
{
	void *object;
	char text[256];

	cache_make("victims", 100, 16);
	alloc_all(&cache, &object, 1);
	slab_free(&cache, &object, 1);
	slab_shrink(&cache);
	snprintf(text, sizeof(text), "libkmalloc: double free of %p (its slab is gone already)\n",
		 object);
	expect_report(object, text);
}

/* Behind the last object of a slab that its size does not divide, and another cache's object. */
Test(slab, what_is_no_object_of_the_cache_is_refused)
{
	static struct kmem_cache other;
	struct captured c;
	void *bad[2], *object;
	size_t free_before;

	cache_make("first", 4000, 16);
	cr_assert(cache_init(&other, "second", 4000, 16, 0));
	alloc_all(&cache, &object, 1);
	alloc_all(&other, &bad[0], 1);
	bad[1] = (char *)slab_object(slab_of_object(object), cache.objects);
	free_before = cache.nr_free + other.nr_free;
	capture_begin(&c);
	slab_free(&cache, bad, 2);
	cr_assert(strlen(capture_end(&c)) > 0);
	cr_assert(cache.nr_free + other.nr_free == free_before);
	cr_assert(slab_check(&cache) == 0 && slab_check(&other) == 0);
}

/* Good ones among the bad ones go back all the same. */
Test(slab, bad_pointers_do_not_stop_the_others)
{
	void *objs[10];
	struct captured c;
	const char *line;
	unsigned lines = 0;

	cache_make("mixed", 64, 16);
	alloc_all(&cache, objs, 10);
	slab_free(&cache, objs, 3);
	capture_begin(&c);
	slab_free(&cache, objs, 10);
	for (line = capture_end(&c); (line = strstr(line, "libkmalloc: double free")); line++)
		lines++;
	cr_assert(lines == 3);
	cr_assert(cache.nr_free == cache.nr_slabs * (size_t)cache.objects);
}

enum { NR_OBJECTS = 3000, BATCH = 60 };

static void *random_batches(void *arg)
{
	struct kmem_cache *s = arg;
	void **held = calloc(NR_OBJECTS, sizeof(*held));
	unsigned n = 0, now;

	random_seed ^= (uintptr_t)held * 3;
	for (int i = 0; i < 20000; i++) {
		now = 1 + (unsigned)random_below(BATCH);
		/* In waves, so that slabs fill up and run empty. */
		if (random_below(5) < (i / 2000 % 2 ? 1 : 4) && n + now <= NR_OBJECTS) {
			alloc_all(s, held + n, now);
			for (unsigned k = n; k < n + now; k++)
				tag(s, held[k]);
			n += now;
			continue;
		}
		now = min(now, n);
		for (unsigned k = 0; k < now; k++) {
			unsigned other = (unsigned)random_below(n);
			void *swap = held[n - 1 - k];

			held[n - 1 - k] = held[other];
			held[other] = swap;
		}
		for (unsigned k = n - now; k < n; k++)
			cr_assert(tag_intact(s, held[k]));
		slab_free(s, held + n - now, now);
		n -= now;
		if (i % 100 == 0)
			cr_assert(slab_check(s) == 0);
	}
	slab_free(s, held, n);
	free(held);
	return arg;
}

Test(slab, random_batches_agree_with_the_model)
{
	static const size_t sizes[] = { 16, 48, 640, 5000 };
	static struct kmem_cache caches[ARRAY_SIZE(sizes)];

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		cr_assert(cache_init(&caches[i], "random", sizes[i], 16, 0));
		random_batches(&caches[i]);
		cr_assert(slab_check(&caches[i]) == 0);
		cr_assert(caches[i].nr_free == (size_t)caches[i].nr_slabs * caches[i].objects);
		slab_shrink(&caches[i]);
		cr_assert(caches[i].nr_slabs == 0);
	}
	cr_assert(zone.nr_free == zone.managed);
}

Test(slab, threads_do_not_disturb_each_other)
{
	cache_make("shared", 80, 16);
	run_threads(4, random_batches, &cache);
	cr_assert(slab_check(&cache) == 0);
	slab_shrink(&cache);
	cr_assert(cache.nr_slabs == 0 && zone.nr_free == zone.managed);
}

Test(slab, no_pages_is_no_object)
{
	void *objs[4];

	limit_pages = 4;
	cache_make("limited", 4096, 16);
	cr_assert(slab_alloc(&cache, objs, 4) == 0);
	limit_pages = 0;
	cr_assert(slab_alloc(&cache, objs, 4) == 4);
}

static void see(struct kmem_cache *s, void *seen)
{
	bool **flag = seen;

	if (s->id < 10)
		(*flag)[s->id] = true;
}

Test(slab, ids_are_small_and_used_again)
{
	static struct kmem_cache caches[10];
	bool seen[10] = { false }, *flags = seen;

	for (unsigned i = 0; i < 10; i++) {
		cr_assert(cache_init(&caches[i], "listed", 64, 16, 0));
		cr_assert(caches[i].id == i && cache_of_id(i) == &caches[i]);
	}
	cache_fini(&caches[3]);
	cr_assert(cache_of_id(3) == NULL);
	cache_for_each(see, &flags);
	for (unsigned i = 0; i < 10; i++)
		cr_assert(seen[i] == (i != 3));
	cr_assert(cache_init(&caches[3], "again", 64, 16, 0) && caches[3].id == 3);
}

/* A handler that interrupted the holder of the lock may not wait for it. */
Test(slab, made_while_the_lock_is_held)
{
	void *first, *second, *third;

	cache_make("parked", 200, 8);
	zone_free(zone_alloc(MAX_RUN_PAGES, 0), MAX_RUN_PAGES);	/* pages that are mapped */
	os_mutex_lock(&cache.lock);
	cr_assert(slab_alloc_nowait(&cache, &first, 0));
	cr_assert(slab_alloc_nowait(&cache, &second, 0));
	os_mutex_unlock(&cache.lock);
	expect_good_object(&cache, first);
	expect_good_object(&cache, second);
	cr_assert_neq(align_down((uintptr_t)first, PAGE_SIZE << cache.order),
		      align_down((uintptr_t)second, PAGE_SIZE << cache.order));
	cr_assert_eq(cache.nr_slabs, 0);

	cr_assert_eq(slab_check(&cache), 0);	/* takes the lock */
	cr_assert_eq(cache.nr_slabs, 2);
	cr_assert_eq(cache.nr_free, 2u * cache.objects - 2);
	cr_assert_eq(slab_alloc(&cache, &third, 1), 1);
	cr_assert_eq(cache.nr_slabs, 2);

	slab_free(&cache, &first, 1);
	slab_free(&cache, &second, 1);
	slab_free(&cache, &third, 1);
	slab_shrink(&cache);
	cr_assert_eq(cache.nr_slabs, 0);
	cr_assert_eq(slab_check(&cache), 0);
}

/* Freeing is what may come first. */
Test(slab, freed_while_its_slab_is_parked)
{
	void *object;

	cache_make("parked", 200, 8);
	zone_free(zone_alloc(MAX_RUN_PAGES, 0), MAX_RUN_PAGES);
	os_mutex_lock(&cache.lock);
	cr_assert(slab_alloc_nowait(&cache, &object, 0));
	cr_assert(!slab_free_nowait(&cache, object));
	os_mutex_unlock(&cache.lock);
	cr_assert(slab_free_nowait(&cache, object));
	cr_assert_eq(cache.nr_slabs, 1);
	cr_assert_eq(cache.nr_free, cache.objects);
	cr_assert_eq(slab_check(&cache), 0);
}
