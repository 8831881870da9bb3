/* SPDX-License-Identifier: MIT */
/*
 * Regions and the buddy allocator, against a model that knows of each run what it should hold:
 * runs do not overlap, clean pages read as zero, counters are exact, and what comes back joins.
 */
#include "unit.h"

#include <sys/resource.h>

#include "lib/bitmap.h"
#include "mm/limit.h"
#include "mm/low.h"
#include "mm/zone.h"

enum { NR_RUNS = 400 };

struct run {
	struct page *page;
	uintptr_t addr;
	unsigned nr;
	uint64_t tag;
};

static void setup(void)
{
	zone_init();
}

TestSuite(zone, .init = setup, .timeout = 120);

static bool page_is_dirty(const struct page *page)
{
	struct region *r = page_region(page);

	return bitmap_test(r->dirty, (unsigned)(page - r->pages));
}

/* The last word of each page says whose it is. */
static uint64_t *last_word(const struct run *run, unsigned i)
{
	return (uint64_t *)(run->addr + (size_t)(i + 1) * PAGE_SIZE) - 1;
}

static void write_tags(struct run *run)
{
	static _Atomic uint64_t next_tag = 1;

	run->tag = atomic_fetch_add(&next_tag, 1);
	for (unsigned i = 0; i < run->nr; i++)
		*last_word(run, i) = run->tag;
}

static bool tags_intact(const struct run *run)
{
	for (unsigned i = 0; i < run->nr; i++)
		if (*last_word(run, i) != run->tag)
			return false;
	return true;
}

static bool clean_pages_read_as_zero(const struct run *run)
{
	for (unsigned i = 0; i < run->nr; i++)
		if (!page_is_dirty(run->page + i) &&
		    !all_zero((void *)(run->addr + (size_t)i * PAGE_SIZE), PAGE_SIZE))
			return false;
	return true;
}

static bool run_alloc(struct run *run, unsigned nr, unsigned align_order)
{
	run->page = zone_alloc(nr, align_order);
	if (!run->page)
		return false;
	run->nr = nr;
	run->addr = page_to_addr(run->page);
	cr_assert(run->page->type == PAGE_RUN && run->page->nr_pages == nr);
	cr_assert((run->addr & ((PAGE_SIZE << align_order) - 1)) == 0);
	cr_assert(virt_to_page((void *)run->addr) == run->page);
	cr_assert(clean_pages_read_as_zero(run));
	if (random_below(8) == 0) {
		zone_zero(run->page);
		cr_assert(all_zero((void *)run->addr, nr * PAGE_SIZE));
	}
	write_tags(run);
	return true;
}

static void run_free(struct run *run)
{
	cr_assert(tags_intact(run));
	zone_free(run->page, run->nr);
	run->page = NULL;
}

static void run_trim(struct run *run)
{
	unsigned nr = 1 + (unsigned)random_below(run->nr);

	zone_trim(run->page, nr);
	run->nr = nr;
	cr_assert(run->page->type == PAGE_RUN && run->page->nr_pages == nr);
}

/* Mostly small, sometimes the largest there is. */
static unsigned random_pages(void)
{
	return (unsigned)min(random_size(random_below(16) ? 5 : MAX_PAGE_ORDER),
			     (size_t)MAX_RUN_PAGES);
}

static unsigned random_align(void)
{
	return random_below(4) ? 0 : (unsigned)random_below(random_below(16) ? 6 : NR_ORDERS);
}

static void random_step(struct run *runs)
{
	struct run *run = &runs[random_below(NR_RUNS)];

	if (!run->page)
		cr_assert(run_alloc(run, random_pages(), random_align()));
	else if (random_below(4))
		run_free(run);
	else
		run_trim(run);
}

static size_t live_pages(const struct run *runs)
{
	size_t sum = 0;

	for (unsigned i = 0; i < NR_RUNS; i++)
		sum += runs[i].page ? runs[i].nr : 0;
	return sum;
}

static void expect_counters(const struct run *runs)
{
	size_t live = live_pages(runs);

	cr_assert(zone_check() == 0);
	cr_assert(zone.nr_isolated == 0);
	cr_assert(zone.nr_free + live == zone.managed);
	cr_assert(zone.nr_dirty <= zone.nr_free);
}

static void free_all(struct run *runs)
{
	for (unsigned i = 0; i < NR_RUNS; i++)
		if (runs[i].page)
			run_free(&runs[i]);
}

static size_t blocks_listed(void)
{
	size_t sum = 0;
	struct list_node *pos;

	for (unsigned l = 0; l < NR_ZONE_LISTS; l++)
		for (unsigned k = 0; k < NR_ORDERS; k++)
			list_for_each(pos, &zone.free[l][k])
				sum++;
	return sum;
}

/* As few aligned blocks as the heap of region 0 can be cut into. */
static size_t blocks_least(void)
{
	size_t i = (regions[0].heap - regions[0].base) >> PAGE_SHIFT, blocks = 0;
	size_t end = (regions[0].grown - regions[0].base) >> PAGE_SHIFT;

	for (; i < end; blocks++)
		i += (size_t)1 << min(min(lowest_bit(i), ilog2(end - i)), (unsigned)MAX_PAGE_ORDER);
	return blocks;
}

static void expect_everything_back(void)
{
	cr_assert(zone_check() == 0);
	cr_assert(zone.nr_free == zone.managed);
	cr_assert(zone.nr_isolated == 0);
	cr_assert(nr_regions == 1);
	cr_assert(zone.managed == (regions[0].grown - regions[0].heap) >> PAGE_SHIFT);
	cr_assert(blocks_listed() == blocks_least(), "%zu blocks instead of %zu",
		  blocks_listed(), blocks_least());
}

Test(zone, random_operations_agree_with_the_model)
{
	static struct run runs[NR_RUNS];

	for (int i = 0; i < 150000; i++) {
		random_step(runs);
		if (random_below(500) == 0)
			zone_purge(random_below(2000), (unsigned)random_below(5));
		if (i % 500 == 0)
			expect_counters(runs);
	}
	free_all(runs);
	expect_everything_back();
	zone_purge(SIZE_MAX, 0);
	cr_assert(zone.nr_dirty == 0);
	expect_everything_back();
}

Test(zone, charge_is_what_may_be_resident)
{
	static struct run runs[NR_RUNS];

	limit_pages = (size_t)1 << 30;
	for (int i = 0; i < 20000; i++) {
		random_step(runs);
		if (random_below(200) == 0)
			zone_purge(random_below(1000), 0);
		if (i % 100 == 0)
			cr_assert(charged_pages == live_pages(runs) + zone.nr_dirty,
				  "step %d: %zu charged, %zu live, %zu dirty", i,
				  (size_t)charged_pages, live_pages(runs), zone.nr_dirty);
	}
	free_all(runs);
	zone_purge(SIZE_MAX, 0);
	cr_assert(charged_pages == 0);
}

Test(zone, limit_is_a_ceiling)
{
	static struct run runs[NR_RUNS];
	unsigned i = 0;

	limit_pages = 1000;
	while (i < NR_RUNS && run_alloc(&runs[i], 16, 0))
		i++;
	cr_assert(i == 1000 / 16);
	expect_counters(runs);
	/* Free dirty pages count, so they go before a request fails. */
	for (unsigned k = 0; k < i; k += 2)
		run_free(&runs[k]);
	cr_assert(run_alloc(&runs[0], 64, 6));
	cr_assert(charged_pages <= 1000);
	free_all(runs);
	expect_everything_back();
}

Test(zone, huge_runs_are_charged_for_clean_pages_only)
{
	struct page *blocks[3], *huge;
	size_t charged;

	limit_pages = 100 * MAX_RUN_PAGES;
	for (unsigned i = 0; i < 3; i++)
		blocks[i] = zone_alloc(MAX_RUN_PAGES, MAX_PAGE_ORDER);
	for (unsigned i = 0; i < 3; i++)
		zone_free(blocks[i], MAX_RUN_PAGES);
	charged = charged_pages;
	huge = zone_alloc_huge(2 * MAX_RUN_PAGES);
	cr_assert(huge != NULL);
	cr_assert(charged_pages == charged, "%zu pages, %zu before", (size_t)charged_pages, charged);
	zone_free(huge, 2 * MAX_RUN_PAGES);
	zone_purge(SIZE_MAX, 0);
	cr_assert(charged_pages == 0);
}

/* Locked memory is not given back, so it must be zeroed. */
Test(zone, low_pages_read_as_zero_even_if_locked)
{
	struct page *page = low_alloc(1, 0);
	void *addr = page ? (void *)page_to_addr(page) : NULL;

	if (!page || mlock(addr, PAGE_SIZE))
		cr_skip_test("no memory below 4 GiB, or none that may be locked");
	memset(addr, 0xff, PAGE_SIZE);
	zone_free(page, 1);
	cr_assert(low_alloc(1, 0) == page && all_zero(addr, PAGE_SIZE));
	munlock(addr, PAGE_SIZE);
}

Test(zone, exact_runs_cost_what_they_hold)
{
	struct run run;

	cr_assert(run_alloc(&run, 5, 0));
	cr_assert(zone.managed - zone.nr_free == 5);
	cr_assert(run.addr % (8 * PAGE_SIZE) == 0);
	run_free(&run);
	expect_everything_back();
}

/* Reusing a page that holds memory costs no fault: it must not be left for a fresh one. */
Test(zone, dirty_pages_are_handed_out_first)
{
	struct run a, b, c;

	cr_assert(run_alloc(&a, 4, 0) && run_alloc(&b, 1, 0));
	run_free(&a);
	cr_assert(zone.nr_dirty == 4);
	cr_assert(run_alloc(&c, 2, 0));
	cr_assert(zone.nr_dirty == 2);
	cr_assert(page_is_dirty(c.page) && page_is_dirty(c.page + 1));
	run_free(&b);
	run_free(&c);
}

Test(zone, purge_leaves_small_blocks_to_others)
{
	static struct run runs[64];
	struct run large;

	for (unsigned i = 0; i < 64; i++)
		cr_assert(run_alloc(&runs[i], 1, 0));
	cr_assert(run_alloc(&large, 256, 0));
	zone_purge(SIZE_MAX, 0);
	for (unsigned i = 0; i < 64; i += 2)
		run_free(&runs[i]);
	run_free(&large);
	cr_assert(zone_purge(SIZE_MAX, 4) >= 256);
	cr_assert(zone.nr_dirty > 0 && zone.nr_dirty <= 32);
	cr_assert(zone_purge(SIZE_MAX, 0) > 0);
	cr_assert(zone.nr_dirty == 0 && zone_check() == 0);
}

Test(zone, purge_takes_about_what_was_asked_for)
{
	static struct run runs[NR_RUNS];
	size_t purged;

	for (unsigned i = 0; i < NR_RUNS; i++)
		cr_assert(run_alloc(&runs[i], 16, 4));
	for (unsigned i = 0; i < NR_RUNS; i += 2)
		run_free(&runs[i]);
	purged = zone_purge(160, 0);
	cr_assert(purged >= 160 && purged < 160 + 16, "%zu", purged);
	expect_counters(runs);
}

Test(zone, lowest_number_of_dirty_pages_is_remembered)
{
	struct run a, b, other;

	cr_assert(run_alloc(&a, 100, 0) && run_alloc(&b, 50, 0) && run_alloc(&other, 1, 0));
	run_free(&a);
	zone_dirty_low_reset();
	cr_assert(run_alloc(&a, 60, 0));
	run_free(&b);
	cr_assert(zone_dirty_low_reset() == 40);
	cr_assert(zone_dirty_low_reset() == 90);
	cr_assert(zone_dirty_low_reset() == 90);
}

static void *thread_of_runs(void *arg)
{
	struct run *runs = calloc(NR_RUNS, sizeof(*runs));

	random_seed ^= (uintptr_t)runs * 3;
	for (int i = 0; i < 30000; i++) {
		random_step(runs);
		if (random_below(500) == 0)
			zone_purge(random_below(2000), (unsigned)random_below(5));
	}
	free_all(runs);
	free(runs);
	return arg;
}

Test(zone, threads_do_not_disturb_each_other)
{
	run_threads(4, thread_of_runs, NULL);
	zone_purge(SIZE_MAX, 0);
	cr_assert(zone.nr_dirty == 0);
	expect_everything_back();
}

/* Regions are as large as the limit that is found at start allows. */
TestSuite(zone_in_little_space, .timeout = 120);

static void start_with_address_space(size_t bytes)
{
	struct rlimit limit = { bytes, bytes };

	cr_assert(setrlimit(RLIMIT_AS, &limit) == 0);
	zone_init();
}

Test(zone_in_little_space, a_further_region_follows_a_full_one)
{
	enum { COUNT = 100 };
	struct page *blocks[COUNT];
	unsigned i, second = 0;

	if (UNDER_ASAN)
		cr_skip_test("the sanitizer needs more address space than this test has");
	start_with_address_space((size_t)1 << 30);
	for (i = 0; i < COUNT; i++) {
		blocks[i] = zone_alloc(MAX_RUN_PAGES, MAX_PAGE_ORDER);
		cr_assert(blocks[i] != NULL, "%u", i);
		cr_assert(virt_to_page((void *)page_to_addr(blocks[i])) == blocks[i]);
		second += page_region(blocks[i]) != &regions[0];
	}
	cr_assert(nr_regions > 1 && second > 0);
	cr_assert(zone_check() == 0);
	for (i = 0; i < COUNT; i++)
		zone_free(blocks[i], MAX_RUN_PAGES);
	cr_assert(zone_check() == 0);
	cr_assert(zone.nr_free == zone.managed);
}

Test(zone_in_little_space, no_address_space_is_no_memory)
{
	enum { COUNT = 1000 };
	static struct page *blocks[COUNT];
	unsigned n = 0;

	if (UNDER_ASAN)
		cr_skip_test("the sanitizer needs more address space than this test has");
	start_with_address_space((size_t)768 << 20);
	while (n < COUNT && (blocks[n] = zone_alloc(MAX_RUN_PAGES, 0)))
		n++;
	cr_assert(n > 10 && n < 192, "%u blocks of 4 MiB in 768 MiB", n);
	cr_assert(zone_check() == 0);
	cr_assert(zone_alloc(MAX_RUN_PAGES, 0) == NULL);
	zone_free(blocks[--n], MAX_RUN_PAGES);
	cr_assert((blocks[n++] = zone_alloc(MAX_RUN_PAGES, 0)) != NULL);
	while (n)
		zone_free(blocks[--n], MAX_RUN_PAGES);
	cr_assert(zone.nr_free == zone.managed);
}

Test(zone, foreign_addresses_have_no_region)
{
	struct page *page = zone_alloc(1, 0);
	int on_stack;

	cr_assert(region_of(page_to_addr(page)) == &regions[0]);
	cr_assert(region_of(0) == NULL);
	cr_assert(region_of((uintptr_t)&on_stack) == NULL);
	cr_assert(region_of(UINTPTR_MAX) == NULL);
	cr_assert(region_of(regions[0].base - 1) == NULL);
	cr_assert(region_of(regions[0].usable) == NULL);
	cr_assert(region_of(regions[0].usable - 1) == &regions[0]);
}
