/* SPDX-License-Identifier: MIT */
/*
 * The heap as a whole: sizes and alignments of all kinds against a model, zeroed memory after dirty
 * reuse, realloc, and what is said about pointers that are nothing.
 */
#include "unit.h"

#include "kmalloc/heap.h"
#include "lib/bug.h"
#include "mm/limit.h"
#include "mm/vmap.h"
#include "mm/zone.h"

static void setup(void)
{
	heap_init();
	corruption_is_fatal = false;
}

TestSuite(heap, .init = setup, .timeout = 120);

struct block {
	unsigned char *start;
	size_t size;
	unsigned char tag;
};

/* The first and last 64 bytes, and a byte of each page. */
static void write_tag(const struct block *b)
{
	memset(b->start, b->tag, min(b->size, (size_t)64));
	for (size_t i = 0; i < b->size; i += PAGE_SIZE)
		b->start[i] = b->tag;
	memset(b->start + b->size - min(b->size, (size_t)64), b->tag, min(b->size, (size_t)64));
}

static bool tag_intact(const struct block *b, size_t size)
{
	for (size_t i = 0; i < min(size, (size_t)64); i++)
		if (b->start[i] != b->tag)
			return false;
	for (size_t i = 0; i < size; i += PAGE_SIZE)
		if (b->start[i] != b->tag)
			return false;
	return size < b->size || b->start[size - 1] == b->tag;
}

static void expect_found(const struct block *b)
{
	struct heap_object object;
	size_t into = random_below(b->size);

	heap_find(b->start + into, &object);
	cr_assert(object.kind == HEAP_SLAB || object.kind == HEAP_RUN || object.kind == HEAP_AREA);
	cr_assert(object.start == (uintptr_t)b->start, "%zu into %zu", into, b->size);
	cr_assert(object.size >= b->size);
}

static void block_alloc(struct block *b)
{
	size_t align = 16;

	b->size = random_size(random_below(32) ? 15 : 24);
	switch (random_below(3)) {
	case 0:
		b->start = heap_alloc(b->size);
		break;
	case 1:
		b->start = heap_alloc_zeroed(b->size);
		cr_assert(all_zero(b->start, b->size), "%zu bytes", b->size);
		break;
	default:
		align = (size_t)1 << random_below(random_below(8) ? 13 : 24);
		b->start = heap_alloc_aligned(b->size, align);
	}
	cr_assert(b->start != NULL && (uintptr_t)b->start % align == 0);
	b->tag = (unsigned char)(1 + random_below(255));
	write_tag(b);
}

static void block_realloc(struct block *b)
{
	size_t size = random_below(2) ? random_size(20) : 1 + random_below(2 * b->size);
	unsigned char *start = heap_realloc(b->start, size);

	cr_assert(start != NULL);
	b->start = start;
	if (size <= b->size)
		b->size = size;
	cr_assert(tag_intact(&(struct block){ start, SIZE_MAX, b->tag }, min(size, b->size)));
	b->size = size;
	write_tag(b);
}

static void random_step(struct block *b)
{
	if (!b->start) {
		block_alloc(b);
		expect_found(b);
		return;
	}
	expect_found(b);
	cr_assert(tag_intact(b, b->size));
	if (random_below(4) == 0) {
		block_realloc(b);
		return;
	}
	heap_free(b->start);
	b->start = NULL;
}

static void *random_blocks(void *arg)
{
	enum { HELD = 300 };
	struct block *blocks = calloc(HELD, sizeof(*blocks));

	random_seed ^= (uintptr_t)blocks * 3;
	for (int wave = 0; wave < 10; wave++) {
		for (int i = 0; i < 4000; i++)
			random_step(&blocks[random_below(HELD)]);
		for (int i = 0; i < HELD; i++) {
			heap_free(blocks[i].start);
			blocks[i].start = NULL;
		}
		heap_trim();
	}
	free(blocks);
	return arg;
}

static void add_pages(struct kmem_cache *s, void *sum)
{
	*(size_t *)sum += (size_t)s->nr_slabs << s->order;
}

static void expect_nothing_left(void)
{
	struct vmap_stats areas;
	size_t own = 0;

	heap_trim();
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++) {
		cr_assert(slab_check(&kmalloc_caches[c]) == 0);
		cr_assert(kmalloc_caches[c].nr_slabs == 0, "%s", kmalloc_caches[c].name);
	}
	vmap_stats(&areas);
	cr_assert(areas.nr_busy == 0 && areas.nr_lazy == 0 && vmap_check() == 0);
	cr_assert(zone_check() == 0 && zone.nr_dirty == 0);
	/* The library's own: slabs of threads and magazines, descriptors of areas. */
	cache_for_each(add_pages, &own);
	cr_assert(own <= 32, "%zu pages of slabs", own);
	cr_assert(zone.managed - zone.nr_free <= own + 4, "%zu pages, %zu of them slabs",
		  zone.managed - zone.nr_free, own);
}

Test(heap, random_operations_agree_with_the_model)
{
	random_blocks(NULL);
	expect_nothing_left();
}

Test(heap, threads_do_not_disturb_each_other)
{
	run_threads(4, random_blocks, NULL);
	expect_nothing_left();
}

Test(heap, zeroed_after_dirty_reuse)
{
	for (size_t size = 1; size <= (size_t)12 << 20; size += size / 3 + 1)
		for (int round = 0; round < 3; round++) {
			unsigned char *p = heap_alloc_zeroed(size);

			cr_assert(p && all_zero(p, size), "%zu bytes", size);
			memset(p, 0xa5, size);
			heap_free(p);
		}
}

Test(heap, realloc_keeps_what_fits)
{
	struct block b = { heap_alloc(1), 1, 7 };

	write_tag(&b);
	for (size_t size = 2; size < (size_t)64 << 20; size += size / 2) {
		b.start = heap_realloc(b.start, size);
		cr_assert(b.start && tag_intact(&b, b.size), "%zu bytes", size);
		b.size = size;
		write_tag(&b);
	}
	for (size_t size = b.size; size > 0; size /= 2) {
		b.start = heap_realloc(b.start, size);
		b.size = size;
		cr_assert(b.start && b.start[0] == 7, "%zu bytes", size);
	}
	heap_free(b.start);
	expect_nothing_left();
}

/* No copying above the largest run: the pages themselves move. */
Test(heap, large_blocks_grow_without_being_touched)
{
	struct block b = { heap_alloc((size_t)8 << 20), (size_t)8 << 20, 9 };
	unsigned char resident;

	write_tag(&b);
	for (size_t size = (size_t)9 << 20; size <= (size_t)1 << 30; size += size / 8) {
		b.start = heap_realloc(b.start, size & ~(PAGE_SIZE - 1));
		cr_assert(b.start != NULL);
		resident = 1;
		cr_assert(mincore(b.start + ((size_t)8 << 20), PAGE_SIZE, &resident) == 0);
		cr_assert(!(resident & 1), "copied on the way to %zu bytes", size);
	}
	cr_assert(tag_intact(&b, b.size));
	heap_free(b.start);
}

Test(heap, huge_sizes_are_refused)
{
	void *p = heap_alloc(64);

	for (int less = 0; less < 8192; less += 64) {
		cr_assert(heap_alloc(SIZE_MAX - (size_t)less) == NULL);
		cr_assert(heap_alloc(PTRDIFF_MAX - (size_t)less) == NULL);
		cr_assert(heap_alloc_aligned(SIZE_MAX - (size_t)less, 4096) == NULL);
		cr_assert(heap_alloc_zeroed(SIZE_MAX / 2 - (size_t)less) == NULL);
		cr_assert(heap_realloc(p, SIZE_MAX - (size_t)less) == NULL);
	}
	cr_assert(heap_alloc_aligned(16, (size_t)1 << 62) == NULL);
	heap_free(p);
}

static void expect_text(void *bad, const char *text)
{
	struct captured c;

	capture_begin(&c);
	heap_free(bad);
	cr_assert_str_eq(capture_end(&c), text);
}

Test(heap, bad_frees_of_pages_are_named)
{
	char *run = heap_alloc((size_t)100 << 10), *area = heap_alloc((size_t)10 << 20), text[256];

	snprintf(text, sizeof(text), "libkmalloc: free of %p which points 4096 bytes into pages "
		 "at %p\n", (void *)(run + 4096), (void *)run);
	expect_text(run + 4096, text);
	snprintf(text, sizeof(text), "libkmalloc: free of %p which points 16 bytes into pages "
		 "at %p\n", (void *)(run + 16), (void *)run);
	expect_text(run + 16, text);
	snprintf(text, sizeof(text), "libkmalloc: free of %p which points 8192 bytes into pages "
		 "at %p\n", (void *)(area + 8192), (void *)area);
	expect_text(area + 8192, text);
	heap_free(run);
	snprintf(text, sizeof(text), "libkmalloc: double free of %p (pages)\n", (void *)run);
	expect_text(run, text);
	heap_free(area);
	expect_nothing_left();
}

Test(heap, foreign_pointers_are_refused_with_a_line)
{
	int on_stack;
	static int in_data;
	char text[256];
	void *foreign[] = { &on_stack, &in_data, (void *)16, (void *)UINTPTR_MAX };
	struct captured c;

	heap_free(heap_alloc(64));
	for (unsigned i = 0; i < ARRAY_SIZE(foreign); i++) {
		snprintf(text, sizeof(text), "libkmalloc: free of %p which was not allocated here: "
			 "refused\n", foreign[i]);
		expect_text(foreign[i], text);
	}
	snprintf(text, sizeof(text), "libkmalloc: realloc of %p which was not allocated here: "
		 "refused\n", (void *)&on_stack);
	capture_begin(&c);
	cr_assert(heap_realloc(&on_stack, 100) == NULL);
	cr_assert_str_eq(capture_end(&c), text);
	expect_text(NULL, "");
}

Test(heap, struct_pages_are_no_memory_to_free)
{
	struct captured c;
	size_t free_before;

	heap_free(heap_alloc((size_t)64 << 10));
	free_before = zone.nr_free;
	capture_begin(&c);
	heap_free(regions[0].map);
	heap_free((void *)regions[0].heap);
	heap_free(&regions[0].pages[regions[0].heap >> PAGE_SHIFT & 0xff]);
	heap_free((void *)(regions[0].usable - 16));
	capture_end(&c);
	cr_assert(zone.nr_free == free_before && zone_check() == 0);
}

Test(heap, limit_is_a_ceiling_for_all_kinds)
{
	static void *objs[20000];
	unsigned n = 0;

	limit_pages = pages_of((size_t)32 << 20);
	charged_pages = 0;
	cr_assert(heap_alloc((size_t)40 << 20) == NULL);
	while (n < ARRAY_SIZE(objs) && (objs[n] = heap_alloc(4000)))
		n++;
	cr_assert(n > 6000 && n < 8192, "%u objects of 4000 bytes in 32 MiB", n);
	cr_assert(heap_alloc((size_t)1 << 20) == NULL && heap_alloc((size_t)5 << 20) == NULL);
	while (n)
		heap_free(objs[--n]);
	/* What is kept for speed is given up before a request fails. */
	cr_assert((objs[0] = heap_alloc((size_t)20 << 20)) != NULL);
	heap_free(objs[0]);
	cr_assert((objs[0] = heap_alloc((size_t)3 << 20)) != NULL);
	heap_free(objs[0]);
}
