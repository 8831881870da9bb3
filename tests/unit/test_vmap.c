/* SPDX-License-Identifier: MIT */
/*
 * Large areas: contents survive growing, shrinking and moving; what is behind an area faults; the
 * tree agrees with a model; what is kept for reuse is found, counted and given back.
 */
#include "unit.h"

#include "lib/bits.h"
#include "mm/limit.h"
#include "mm/vmap.h"
#include "mm/zone.h"

#define MIB	((size_t)1 << 20)

static void setup(void)
{
	zone_init();
}

TestSuite(vmap, .init = setup, .timeout = 120);

struct area {
	char *start;
	size_t size;		/* what was asked for */
	unsigned tag;
};

/* A word of each 64 KiB, so that areas of many MiB are cheap to check. */
#define STRIDE	((size_t)64 << 10)

/* From @from on; a word that @from cuts in two had no room before. */
static void write_tag(struct area *a, size_t from)
{
	for (size_t i = align_down(from, STRIDE); i + sizeof(unsigned) <= a->size; i += STRIDE)
		*(unsigned *)(a->start + i) = a->tag + (unsigned)i;
}

static bool tag_intact(const struct area *a, size_t size)
{
	for (size_t i = 0; i + sizeof(unsigned) <= size; i += STRIDE)
		if (*(unsigned *)(a->start + i) != a->tag + (unsigned)i)
			return false;
	return true;
}

static bool alone = true;

static void area_alloc(struct area *a, size_t size, size_t align)
{
	size_t dirty;

	a->start = vmap_alloc(size, align, &dirty);
	a->size = size;
	a->tag = (unsigned)random_below(UINT32_MAX);
	cr_assert(a->start != NULL);
	cr_assert(((uintptr_t)a->start & (align - 1)) == 0);
	for (size_t i = align_up(dirty, PAGE_SIZE); i < size; i += PAGE_SIZE)
		cr_assert(a->start[i] == 0);
	write_tag(a, 0);
}

static void area_resize(struct area *a, size_t size)
{
	size_t old = a->size;
	char *start = vmap_resize(a->start, size);

	cr_assert(start != NULL);
	a->start = start;
	a->size = size;
	cr_assert(tag_intact(a, min(old, size)));
	write_tag(a, min(old, size));
}

static void expect_found(const struct area *a, uintptr_t addr)
{
	uintptr_t start;
	size_t size;

	cr_assert(vmap_find((void *)addr, &start, &size));
	cr_assert(start == (uintptr_t)a->start);
	cr_assert(size >= a->size && size % PAGE_SIZE == 0);
}

static void area_free(struct area *a)
{
	expect_found(a, (uintptr_t)a->start);
	expect_found(a, (uintptr_t)a->start + a->size - 1);
	cr_assert(tag_intact(a, a->size));
	cr_assert(!vmap_free(a->start + PAGE_SIZE));
	cr_assert(vmap_free(a->start));
	/* With other threads about, one of them may have the area by now. */
	cr_assert(!alone || !vmap_free(a->start), "freed twice");
	a->start = NULL;
}

static size_t random_area(void)
{
	return random_below(4) ? 1 + random_below(16 * MIB) : (1 + random_below(8)) * MIB;
}

static void random_step(struct area *a)
{
	if (!a->start)
		area_alloc(a, random_area(), PAGE_SIZE << random_below(random_below(4) ? 1 : 13));
	else if (random_below(2))
		area_resize(a, random_area());
	else
		area_free(a);
}

static void *random_areas(void *arg)
{
	enum { COUNT = 12, STEPS = 2000 };
	struct area areas[COUNT] = { { NULL, 0, 0 } };

	random_seed ^= (uintptr_t)areas * 3;
	for (int i = 0; i < STEPS; i++) {
		random_step(&areas[random_below(COUNT)]);
		if (random_below(20) == 0)
			vmap_purge(random_below(10000));
		if (i % 50 == 0)
			cr_assert(vmap_check() == 0);
	}
	for (int i = 0; i < COUNT; i++)
		if (areas[i].start)
			area_free(&areas[i]);
	return arg;
}

static void expect_nothing_left(void)
{
	struct vmap_stats stats;

	vmap_purge(SIZE_MAX);
	vmap_stats(&stats);
	cr_assert(stats.nr_busy == 0 && stats.busy_pages == 0);
	cr_assert(stats.nr_lazy == 0 && stats.lazy_pages == 0);
	cr_assert(vmap_check() == 0);
}

Test(vmap, random_operations_keep_contents)
{
	limit_pages = (size_t)1 << 40;
	random_areas(NULL);
	expect_nothing_left();
	cr_assert(zone_purge(SIZE_MAX, 0) == 0);
	/* What is left are descriptors. */
	cr_assert(charged_pages == zone.managed - zone.nr_free, "%zu charged", (size_t)charged_pages);
}

Test(vmap, threads_do_not_disturb_each_other)
{
	alone = false;
	run_threads(3, random_areas, NULL);
	expect_nothing_left();
}

static void touch(void *arg)
{
	*(volatile char *)arg = 1;
}

/* An area may be larger than asked for; behind it nothing is. */
static void expect_guard(const struct area *a)
{
	uintptr_t start;
	size_t size;

	cr_assert(vmap_find(a->start, &start, &size) && size >= a->size);
	cr_assert(in_child(touch, a->start + size - 1) == 0);
	cr_assert(died_of(in_child(touch, a->start + size), SIGSEGV));
}

Test(vmap, what_is_behind_faults)
{
	struct area a;

	area_alloc(&a, 5 * MIB, PAGE_SIZE);
	expect_guard(&a);
	area_resize(&a, 9 * MIB);
	expect_guard(&a);
	area_resize(&a, 4 * MIB);
	expect_guard(&a);
	cr_assert(died_of(in_child(touch, a.start + 8 * MIB), SIGSEGV));
	area_free(&a);
	vmap_purge(SIZE_MAX);
	cr_assert(died_of(in_child(touch, a.start), SIGSEGV));
}

Test(vmap, growth_reads_as_zero)
{
	struct area a;

	area_alloc(&a, 8 * MIB, PAGE_SIZE);
	memset(a.start, 0xff, 8 * MIB);
	a.start = vmap_resize(a.start, 4 * MIB);
	a.start = vmap_resize(a.start, 8 * MIB);
	cr_assert(a.start && all_zero(a.start + 4 * MIB, 4 * MIB));
	a.start = vmap_resize(a.start, 32 * MIB);
	cr_assert(a.start && a.start[4 * MIB - 1] == (char)0xff);
	cr_assert(all_zero(a.start + 4 * MIB, 28 * MIB));
}

/* Moving page tables, not bytes: growing by 1 GiB must not make it resident. */
Test(vmap, growth_touches_nothing)
{
	struct area a;
	unsigned char resident[1] = { 1 };

	area_alloc(&a, 8 * MIB, PAGE_SIZE);
	a.start = vmap_resize(a.start, 1024 * MIB);
	cr_assert(a.start != NULL);
	cr_assert(mincore(a.start + 512 * MIB, PAGE_SIZE, resident) == 0);
	cr_assert(resident[0] == 0);
	a.size = 8 * MIB;
	cr_assert(tag_intact(&a, a.size));
}

static void grow_far(void *arg)
{
	struct area *a = arg;
	char *start;

	for (size_t size = 8 * MIB; size <= 256 * MIB; size *= 2) {
		start = vmap_resize(a->start, size);
		a->start = start ? start : a->start;
		a->start[(start ? size : a->size) - 1] = 1;
		if (!tag_intact(a, a->size) || vmap_check())
			_exit(1);
	}
}

/*
 * There the kernel does not join what the parent touched with what the child adds, and moves neither.
 * Being refused is allowed then (realloc copies), losing something is not.
 */
Test(vmap, keeps_contents_in_a_child_of_fork)
{
	struct area a;

	area_alloc(&a, 5 * MIB, PAGE_SIZE);
	/* Once moved, there is room behind it. */
	area_resize(&a, 6 * MIB);
	cr_assert(in_child(grow_far, &a) == 0);
}

/* In place and by moving in turn: the kernel moves one mapping at a time. */
Test(vmap, grows_again_and_again)
{
	struct area a;

	area_alloc(&a, 5 * MIB, PAGE_SIZE);
	for (size_t size = 6 * MIB; size <= 256 * MIB; size += size / 4 / PAGE_SIZE * PAGE_SIZE)
		area_resize(&a, size);
	area_free(&a);
}

Test(vmap, freed_areas_are_reused)
{
	struct area a, b;
	struct vmap_stats stats;
	char *first;

	area_alloc(&a, 6 * MIB, PAGE_SIZE);
	first = a.start;
	area_free(&a);
	vmap_stats(&stats);
	cr_assert(stats.nr_lazy == 1 && stats.lazy_pages == pages_of(6 * MIB));
	area_alloc(&b, 6 * MIB - 5000, PAGE_SIZE);
	cr_assert(b.start == first);
	vmap_stats(&stats);
	cr_assert(stats.nr_lazy == 0 && stats.nr_busy == 1);
	area_free(&b);
	/* A smaller request leaves the rest, less a guard page, to the next one. */
	area_alloc(&b, 3 * MIB, PAGE_SIZE);
	cr_assert(b.start == first);
	vmap_stats(&stats);
	cr_assert(stats.nr_lazy == 1 && stats.lazy_pages == pages_of(3 * MIB) - 1);
	cr_assert(vmap_check() == 0);
}

static bool resident(const char *addr)
{
	unsigned char state[1];

	return mincore((void *)align_down((uintptr_t)addr, PAGE_SIZE), PAGE_SIZE, state) == 0 &&
	       (state[0] & 1);
}

/* Three freed areas serve a request that none of them could, and come back as three. */
static void compose(struct area *a)
{
	struct area parts[3];
	struct vmap_stats stats;
	size_t dirty;

	for (int i = 0; i < 3; i++) {
		area_alloc(&parts[i], 6 * MIB, PAGE_SIZE);
		memset(parts[i].start, 0xff, 6 * MIB);
	}
	for (int i = 0; i < 3; i++)
		cr_assert(vmap_free(parts[i].start));
	a->start = vmap_alloc(20 * MIB, PAGE_SIZE, &dirty);
	a->size = 20 * MIB;
	a->tag = 1;
	cr_assert(a->start && dirty == 18 * MIB);
	for (size_t i = 0; i < 18 * MIB; i += PAGE_SIZE)
		cr_assert(resident(a->start + i));
	cr_assert(!resident(a->start + 18 * MIB) && all_zero(a->start + 18 * MIB, 2 * MIB));
	vmap_stats(&stats);
	cr_assert(stats.nr_busy == 1 && stats.nr_lazy == 0 && vmap_check() == 0);
	write_tag(a, 0);
	expect_guard(a);
}

Test(vmap, a_large_area_takes_the_pages_of_freed_ones)
{
	struct vmap_stats stats;
	struct area a;

	compose(&a);
	area_free(&a);
	vmap_stats(&stats);
	cr_assert(stats.nr_busy == 0 && stats.nr_lazy == 3 && vmap_check() == 0);
	/* The first part of what is kept has nothing behind it but the next. */
	area_alloc(&a, 6 * MIB - PAGE_SIZE, PAGE_SIZE);
	expect_guard(&a);
	area_free(&a);
	expect_nothing_left();
}

Test(vmap, what_is_too_much_of_the_last_piece_is_kept)
{
	struct vmap_stats stats;
	struct area a, b;

	area_alloc(&a, 8 * MIB, PAGE_SIZE);
	area_alloc(&b, 9 * MIB, PAGE_SIZE);
	area_free(&a);
	area_free(&b);
	area_alloc(&a, 11 * MIB, PAGE_SIZE);
	vmap_stats(&stats);
	cr_assert(stats.nr_lazy == 1 && stats.lazy_pages == pages_of(6 * MIB));
	expect_guard(&a);
	area_free(&a);
	expect_nothing_left();
}

Test(vmap, an_area_of_pieces_grows_and_shrinks)
{
	struct area a;

	compose(&a);
	area_resize(&a, 40 * MIB);
	cr_assert(vmap_check() == 0);
	expect_guard(&a);
	area_free(&a);
	expect_nothing_left();
	compose(&a);
	area_resize(&a, 7 * MIB);
	expect_guard(&a);
	cr_assert(vmap_check() == 0);
	area_resize(&a, 64 * MIB);
	area_free(&a);
	expect_nothing_left();
}

Test(vmap, few_freed_areas_are_kept)
{
	enum { COUNT = 200 };
	struct area areas[COUNT];
	struct vmap_stats stats;

	for (int i = 0; i < COUNT; i++)
		area_alloc(&areas[i], 2 * MIB + (size_t)i * PAGE_SIZE, PAGE_SIZE);
	for (int i = 0; i < COUNT; i++)
		area_free(&areas[i]);
	vmap_stats(&stats);
	cr_assert(stats.nr_lazy <= 64 && stats.nr_lazy > 0);
	cr_assert(vmap_check() == 0);
	expect_nothing_left();
}

Test(vmap, lowest_number_of_kept_pages_is_remembered)
{
	struct area a, b;

	area_alloc(&a, 8 * MIB, PAGE_SIZE);
	area_alloc(&b, 4 * MIB, PAGE_SIZE);
	area_free(&a);
	area_free(&b);
	vmap_lazy_low_reset();
	area_alloc(&b, 4 * MIB, PAGE_SIZE);
	area_free(&b);
	cr_assert(vmap_lazy_low_reset() == pages_of(8 * MIB));
	cr_assert(vmap_lazy_low_reset() == pages_of(12 * MIB));
}

Test(vmap, limit_is_a_ceiling)
{
	struct area a;
	size_t dirty;

	limit_pages = pages_of(20 * MIB);
	area_alloc(&a, 12 * MIB, PAGE_SIZE);
	cr_assert(vmap_alloc(12 * MIB, PAGE_SIZE, &dirty) == NULL);
	cr_assert(vmap_resize(a.start, 24 * MIB) == NULL);
	cr_assert(tag_intact(&a, a.size));
	area_resize(&a, 4 * MIB);
	area_free(&a);
	area_alloc(&a, 16 * MIB, PAGE_SIZE);
	cr_assert(charged_pages <= limit_pages);
}

Test(vmap, what_is_no_area_is_left_alone)
{
	struct area a;
	uintptr_t start;
	size_t size;
	int on_stack;

	area_alloc(&a, 5 * MIB, PAGE_SIZE);
	cr_assert(!vmap_find(&on_stack, &start, &size));
	cr_assert(!vmap_find(a.start + 5 * MIB, &start, &size));
	cr_assert(!vmap_find(a.start - 1, &start, &size));
	cr_assert(!vmap_free(&on_stack) && !vmap_free(NULL));
	cr_assert(vmap_resize(a.start + PAGE_SIZE, 6 * MIB) == NULL);
	cr_assert(vmap_resize(&on_stack, 6 * MIB) == NULL);
	cr_assert(vmap_resize(a.start, (size_t)1 << 60) == NULL);
	cr_assert(tag_intact(&a, a.size));
	area_free(&a);
}

/* Hardened mode: what is freed faults, comes late, and comes as zeroes. */

static char *guarded_alloc(size_t size)
{
	size_t dirty;
	char *p = vmap_alloc(size, PAGE_SIZE, &dirty);

	cr_assert(p != NULL);
	memset(p, 0, dirty);
	return p;
}

static void write_byte(void *p)
{
	*(volatile char *)p = 1;
}

Test(vmap, guarded_areas_fault_when_freed_and_come_back_late)
{
	char *freed[24], *p;
	bool again = false;
	unsigned i;

	vmap_guarded = true;
	for (i = 0; i < 24; i++)
		freed[i] = memset(guarded_alloc(200 << 10), 1, 200 << 10);
	for (i = 0; i < 24; i++) {
		cr_assert(vmap_free(freed[i]) && !vmap_free(freed[i]));
		cr_assert(died_of(in_child(write_byte, freed[i] + 5000), SIGSEGV));
	}
	p = guarded_alloc(200 << 10);
	for (i = 0; i < 24; i++)
		again |= p == freed[i] && i < 24 - 8;
	cr_assert(again && all_zero(p, 200 << 10));
	cr_assert(died_of(in_child(write_byte, p + (200 << 10)), SIGSEGV));
	cr_assert(vmap_check() == 0);
}

Test(vmap, large_guarded_areas_give_their_memory_back)
{
	size_t used;
	char *p;

	vmap_guarded = true;
	limit_pages = 1 << 20;
	used = ATOMIC_READ(charged_pages);
	p = memset(guarded_alloc(8 << 20), 1, 8 << 20);
	cr_assert(ATOMIC_READ(charged_pages) >= used + (8 << 8));
	vmap_free(p);
	cr_assert(ATOMIC_READ(charged_pages) <= used + 1);
	vmap_purge(SIZE_MAX);
	cr_assert(ATOMIC_READ(charged_pages) <= used + 1);
	cr_assert(vmap_check() == 0);
}
