/* SPDX-License-Identifier: MIT */
/*
 * Pages below 4 GiB.
 *
 * Few programs want them, and those want few: regions of 64 MiB, made at first use at addresses
 * that are tried one after another, each with a bitmap of its free pages that is searched from the
 * start.  Free pages hold no memory, so all of them read as zero.
 *
 * The regions look like those of the zone, so that slabs, struct pages and free() work in them as
 * anywhere, but are not in the zone's table, since the zone grows in the last one of that.
 *
 * Locks: low.lock for the bitmaps; regions are only ever added.
 */
#include "mm/low.h"

#include "lib/bitmap.h"
#include "lib/bits.h"
#include "os/lock.h"

#define LOW_SIZE	((size_t)64 << 20)
#define LOW_PAGES	(LOW_SIZE >> PAGE_SHIFT)
#define MAX_LOW		32

static struct {
	struct os_mutex lock;
	_Atomic unsigned nr;
	_Atomic bool creating;
	struct region regions[MAX_LOW];
	uint64_t used[MAX_LOW][LOW_PAGES / 64];
} low = { .lock = OS_MUTEX(RANK_ZONE) };

struct region *low_region_of(uintptr_t addr)
{
	unsigned i, nr = atomic_load_explicit(&low.nr, memory_order_acquire);

	for (i = 0; i < nr; i++)
		if (addr >= low.regions[i].heap && addr < low.regions[i].end)
			return &low.regions[i];
	return NULL;
}

struct region *low_region_of_page(const struct page *page)
{
	unsigned i, nr = atomic_load_explicit(&low.nr, memory_order_acquire);

	for (i = 0; i < nr; i++)
		if (page >= low.regions[i].pages && (uintptr_t)page < low.regions[i].heap)
			return &low.regions[i];
	return NULL;
}

/*
 * Growth.
 */

static bool make_region(unsigned i)
{
	struct region *r = &low.regions[i];
	void *base = os_reserve_low(LOW_SIZE, BLOCK_SIZE);

	if (!base)
		return false;
	region_layout(r, (uintptr_t)base, LOW_SIZE);
	if (region_commit(r, r->heap, r->end - r->heap)) {
		os_unmap(base, LOW_SIZE);
		return false;
	}
	bitmap_set_range(low.used[i], 0, (r->heap - r->base) >> PAGE_SHIFT);
	return true;
}

static bool grow(void)
{
	unsigned nr = atomic_load(&low.nr);
	bool done, taken = false;

	if (!atomic_compare_exchange_strong(&low.creating, &taken, true)) {
		os_yield_cpu(~0u);
		return true;
	}
	done = nr < MAX_LOW && make_region(nr);
	/* release: pairs with the acquire loads of low.nr */
	if (done)
		atomic_store_explicit(&low.nr, nr + 1, memory_order_release);
	atomic_store(&low.creating, false);
	return done;
}

/*
 * Allocation.
 */

/* The first @nr free pages in a row at a multiple of @align; LOW_PAGES if there are none. */
static size_t search(const uint64_t *used, size_t nr, size_t align)
{
	size_t at = 0, i;

	while (at + nr <= LOW_PAGES) {
		for (i = nr; i > 0 && !bitmap_test(used, (unsigned)(at + i - 1)); i--)
			;
		if (!i)
			return at;
		at = align_up(at + i, align);
	}
	return LOW_PAGES;
}

static struct page *take_from(unsigned i, size_t nr, size_t align)
{
	struct region *r = &low.regions[i];
	size_t at = search(low.used[i], nr, align);

	if (at == LOW_PAGES)
		return NULL;
	bitmap_set_range(low.used[i], at, nr);
	r->pages[at].type = PAGE_RUN;
	r->pages[at].flags = 0;
	r->pages[at].nr_pages = (uint32_t)nr;
	return &r->pages[at];
}

static struct page *take(size_t nr, unsigned align_order)
{
	unsigned i, regions = atomic_load_explicit(&low.nr, memory_order_acquire);
	struct page *page = NULL;

	os_mutex_lock(&low.lock);
	for (i = 0; i < regions && !page; i++)
		page = take_from(i, nr, (size_t)1 << align_order);
	os_mutex_unlock(&low.lock);
	return page;
}

struct page *low_alloc(size_t nr, unsigned align_order)
{
	struct page *page = take(nr, align_order);
	unsigned tries;

	/* One more for the guard. */
	if (nr > (MAX_LOW_SIZE >> PAGE_SHIFT) + 1)
		return NULL;
	for (tries = 0; !page && tries < 3 && grow(); tries++)
		page = take(nr, align_order);
	return page;
}

struct page *low_alloc_guarded(size_t nr)
{
	struct page *page = low_alloc(nr + 1, 0);

	if (!page)
		return NULL;
	if (os_protect((char *)page_to_addr(page) + (nr << PAGE_SHIFT), PAGE_SIZE)) {
		low_free(page_region(page), page, nr + 1);
		return NULL;
	}
	page->nr_pages = (uint32_t)nr;
	page->flags = PG_GUARD;
	return page;
}

/* The guard of a run can be used like any page again; if not, that address stays unused. */
static size_t drop_guard(struct page *page, char *addr, size_t nr)
{
	if (!(page->flags & PG_GUARD))
		return nr;
	page->flags = 0;
	return os_commit(addr + (nr << PAGE_SHIFT), PAGE_SIZE) ? nr : nr + 1;
}

void low_free(struct region *r, struct page *page, size_t nr)
{
	size_t index = (size_t)(page - r->pages);
	void *addr = (void *)(r->base + (index << PAGE_SHIFT));

	nr = drop_guard(page, addr, nr);
	page->type = PAGE_NONE;
	if (os_purge(addr, nr << PAGE_SHIFT))
		__builtin_memset(addr, 0, nr << PAGE_SHIFT);	/* locked memory stays */
	os_mutex_lock(&low.lock);
	bitmap_clear_range(low.used[r - low.regions], index, nr);
	os_mutex_unlock(&low.lock);
}
