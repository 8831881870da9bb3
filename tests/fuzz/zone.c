/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator and large areas against a model: runs do not overlap, are aligned as asked,
 * keep what is written on each of their pages, read as zero where they say so, and the walkers find
 * no error after each input.
 */
#include "fuzz.h"

#include "kmalloc/heap.h"
#include "mm/vmap.h"
#include "mm/zone.h"

#define RUNS	96
#define AREAS	8

static struct run {
	struct page *page;
	uint64_t key;
} run[RUNS];

static struct area {
	char *p;
	size_t size;
	uint64_t key;
} area[AREAS];

static uint64_t next_key;

/* The key of a page stands at its end, since the start is where other code would write first. */
static uint64_t *page_key(const struct run *r, unsigned i)
{
	return (uint64_t *)(page_to_addr(r->page) + (i + 1) * PAGE_SIZE) - 1;
}

static void run_mark(struct run *r, unsigned from)
{
	for (unsigned i = from; i < r->page->nr_pages; i++)
		*page_key(r, i) = r->key + i;
}

static void run_verify(const struct run *r)
{
	for (unsigned i = 0; i < r->page->nr_pages; i++)
		FUZZ_MUST(*page_key(r, i) == r->key + i, "page %u of a run is damaged", i);
}

static void run_take(struct run *r, struct bytes *in, unsigned op)
{
	bool rare = op & 0x80 && !(take8(in) & 15);
	unsigned nr = (unsigned)take_size(in, rare ? 10 : 4), order = take8(in) % 11;
	bool zero = nr < 32 && op & 0x10;

	if (op & 0x20)
		r->page = zone_alloc_nowait(nr, order, 0);
	else
		r->page = zone_alloc(nr, order);
	if (!r->page)
		return;
	FUZZ_MUST(r->page->nr_pages == nr, "%u pages instead of %u", r->page->nr_pages, nr);
	FUZZ_MUST(!(page_to_addr(r->page) & ((PAGE_SIZE << order) - 1)), "not aligned to order %u",
		  order);
	if (zero) {
		zone_zero(r->page);
		FUZZ_MUST(zero_bytes((void *)page_to_addr(r->page), nr * PAGE_SIZE), "not zero");
	}
	r->key = ++next_key << 20;
	run_mark(r, 0);
}

static void run_release(struct run *r)
{
	if (!r->page)
		return;
	run_verify(r);
	zone_free(r->page, r->page->nr_pages);
	r->page = NULL;
}

static void run_resize(struct run *r, unsigned to)
{
	unsigned had = r->page->nr_pages;

	run_verify(r);
	if (to < had)
		zone_trim(r->page, to);
	else if (to > had && zone_extend(r->page, to))
		run_mark(r, had);
	else
		to = had;
	FUZZ_MUST(r->page->nr_pages == to, "%u pages instead of %u", r->page->nr_pages, to);
	run_verify(r);
}

static void run_operation(struct bytes *in, unsigned op)
{
	struct run *r = &run[take8(in) % RUNS];

	if (!r->page)
		run_take(r, in, op);
	else if (op & 0x40)
		run_resize(r, 1 + take16(in) % (r->page->nr_pages * 2));
	else
		run_release(r);
}

static void area_release(struct area *a)
{
	if (!a->p)
		return;
	FUZZ_MUST(marked(a->p, a->size, a->key, a->size), "an area of %zu bytes is damaged", a->size);
	FUZZ_MUST(vmap_free(a->p), "vmap_free does not know an area");
	a->p = NULL;
}

static void area_settle(struct area *a, size_t size)
{
	uintptr_t start = 0;
	size_t usable = 0;

	FUZZ_MUST(vmap_find(a->p + size - 1, &start, &usable) && start == (uintptr_t)a->p &&
		  usable >= size, "an area is not found by its last byte");
	a->size = size;
	a->key = ++next_key;
	mark(a->p, size, a->key);
}

static void area_operation(struct bytes *in, unsigned op)
{
	struct area *a = &area[take8(in) % AREAS];
	bool rare = op & 0x80 && !(take8(in) & 15);
	size_t size = PAGE_SIZE * take_size(in, rare ? 11 : 5);
	bool zeroed = false;
	char *p;

	if (a->p && op & 0x40) {
		p = vmap_resize(a->p, size);
		FUZZ_MUST(p && marked(p, a->size, a->key, size), "vmap_resize lost something");
		a->p = p;
		area_settle(a, size);
	} else if (a->p) {
		area_release(a);
	} else {
		a->p = vmap_alloc(size, PAGE_SIZE << take8(in) % 11, &zeroed);
		FUZZ_MUST(a->p && (!zeroed || zero_bytes(a->p, size)), "an area is not zero");
		area_settle(a, size);
	}
}

static void check(void)
{
	FUZZ_MUST(!zone_check(), "zone_check found something");
	FUZZ_MUST(!vmap_check(), "vmap_check found something");
}

static void operation(struct bytes *in)
{
	unsigned op = take8(in);

	fuzz_operations++;
	switch (op & 15) {
	case 0:
		if (op & 0x10)
			break;
		zone_purge(take_size(in, 12), take8(in) % 11);
		break;
	case 1:
		if (op & 0x30)
			break;
		vmap_purge(take_size(in, 14));
		break;
	case 2:
		if (op & 0xf0)
			break;
		zone_purge_metadata();
		break;
	case 3:
		area_operation(in, op);
		break;
	default:
		run_operation(in, op);
	}
}

void fuzz_one(struct bytes *in)
{
	heap_init();
	while (more(in))
		operation(in);
	check();
	for (size_t i = 0; i < RUNS; i++)
		run_release(&run[i]);
	for (size_t i = 0; i < AREAS; i++)
		area_release(&area[i]);
	check();
}
