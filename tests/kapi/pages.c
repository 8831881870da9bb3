/* SPDX-License-Identifier: MIT */
/*
 * Pages and vmalloc.
 */
#include "kapi.h"

#include <signal.h>
#include <sys/sysinfo.h>

TestSuite(pages, .timeout = 120);
TestSuite(vmalloc, .timeout = 120);

Test(pages, every_order)
{
	unsigned order;

	for (order = 0; order <= MAX_PAGE_ORDER; order++) {
		struct page *page = alloc_pages(GFP_KERNEL, order);
		char *p = page_address(page);

		cr_assert(is_aligned(p, PAGE_SIZE << order));
		memset(p, 1, PAGE_SIZE << order);
		cr_assert_eq(virt_to_page(p), page);
		cr_assert_eq(virt_to_head_page(p + (PAGE_SIZE << order) - 1), page);
		cr_assert_eq(page_count(page), 1);
		cr_assert_eq(compound_order(page), order);
		cr_assert_eq(pfn_to_page(page_to_pfn(page)), page);
		__free_pages(page, order);
		p = (char *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, order);
		cr_assert(all_bytes(p, 0, PAGE_SIZE << order));
		free_pages((unsigned long)p, order);
	}
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1));
	cr_assert_eq(__get_free_pages(GFP_KERNEL | __GFP_NOWARN, MAX_PAGE_ORDER + 1), 0);
	free_pages(0, 3);
}

Test(pages, get_order)
{
	cr_assert_eq(get_order(1), 0);
	cr_assert_eq(get_order(PAGE_SIZE), 0);
	cr_assert_eq(get_order(PAGE_SIZE + 1), 1);
	cr_assert_eq(get_order(MIB), 8);
}

Test(pages, references)
{
	struct page *page = alloc_page(GFP_KERNEL);

	get_page(page);
	cr_assert_eq(page_count(page), 2);
	__free_page(page);
	cr_assert_eq(page_count(page), 1);
	set_page_private(page, 42);
	cr_assert_eq(page->private, 42);
	put_page(page);
}

Test(pages, split)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3);
	int i;

	split_page(page, 3);
	for (i = 7; i >= 0; i--) {
		cr_assert_eq(page_count(page + i), 1);
		__free_page(page + i);
	}
}

Test(pages, exact)
{
	unsigned long before = nr_free_pages(), used;
	char *p = alloc_pages_exact(5 * PAGE_SIZE - 10, GFP_KERNEL);

	memset(p, 1, 5 * PAGE_SIZE);
	used = before - nr_free_pages();
	cr_assert(used == 5 || used > 1ul << 40, "5 pages cost 5 pages, not %lu", used);
	free_pages_exact(p, 5 * PAGE_SIZE - 10);
	cr_assert_null(alloc_pages_exact(5 * MIB, GFP_KERNEL | __GFP_NOWARN));
}

Test(pages, bulk_fills_empty_slots)
{
	struct page *pages[64] = { NULL }, *mine = alloc_page(GFP_KERNEL);
	int i;

	pages[7] = mine;
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 64, pages), 64);
	cr_assert_eq(pages[7], mine);
	for (i = 0; i < 64; i++)
		__free_page(pages[i]);
}

Test(pages, nolock)
{
	struct page *page[64];
	unsigned long before;
	int i, round;

	__free_pages(alloc_pages(GFP_KERNEL, 6), 6);
	before = nr_free_pages();
	for (round = 0; round < 100; round++) {
		for (i = 0; i < 16; i++) {
			page[i] = alloc_pages_nolock(__GFP_ZERO, NUMA_NO_NODE, (unsigned)i % 3);
			cr_assert(page[i]);
			cr_assert(all_bytes(page_address(page[i]), 0, PAGE_SIZE << i % 3));
			memset(page_address(page[i]), 1, PAGE_SIZE << i % 3);
		}
		for (i = 0; i < 16; i++)
			free_pages_nolock(page[i], (unsigned)i % 3);
	}
	cr_assert_eq(nr_free_pages(), before, "freed at once, if nobody is in the way");
	cr_assert_null(alloc_pages_nolock(0, NUMA_NO_NODE, MAX_PAGE_ORDER + 1));
}

Test(pages, low)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_DMA32, 4);
	char *p = vmalloc_32(100000), *q = vmalloc_32_user(100000);

	cr_assert(page && (uintptr_t)page_address(page) < 1ul << 32);
	cr_assert(is_aligned(page_address(page), PAGE_SIZE << 4));
	cr_assert(p && q && (uintptr_t)p < 1ul << 32 && (uintptr_t)q < 1ul << 32);
	memset(p, 1, 100000);
	cr_assert(all_bytes(q, 0, 100000));
	cr_assert_eq(virt_to_page(page_address(page)), page);
	__free_pages(page, 4);
	vfree(p);
	vfree(q);
}

Test(pages, fragments)
{
	struct page_frag_cache nc = { NULL, 0, 0, 0 };
	char *p[200];
	int i;

	for (i = 0; i < 200; i++) {
		p[i] = page_frag_alloc_align(&nc, 700, GFP_KERNEL, 64);
		cr_assert(p[i] && is_aligned(p[i], 64));
		memset(p[i], i, 700);
	}
	for (i = 0; i < 200; i++)
		cr_assert(all_bytes(p[i], (unsigned char)i, 700));
	for (i = 0; i < 200; i++)
		page_frag_free(p[i]);
	page_frag_cache_drain(&nc);
}

Test(vmalloc, page_by_page)
{
	char *p = vmalloc(10000);
	struct vm_struct *area = find_vm_area(p + 5000);

	cr_assert(is_aligned(p, PAGE_SIZE) && is_vmalloc_addr(p) && is_vmalloc_addr(p + 9999));
	cr_assert(area && area->addr == p && area->nr_pages == 3);
	cr_assert_geq(vmalloc_nr_pages(), 3);
	memset(p, 1, 3 * PAGE_SIZE);
	vfree(p);
	cr_assert_not(is_vmalloc_addr(p));
	vfree(NULL);
	cr_assert_null(vmalloc(0));
	cr_assert_null(vmalloc(hide(SIZE_MAX)));
}

Test(vmalloc, guard_page, .signal = SIGSEGV)
{
	volatile char *p = vmalloc(10000);

	((volatile char *)hide((size_t)p))[3 * PAGE_SIZE] = 1;
}

/* Pages below 4 GiB are no area of their own, but look like one. */
Test(vmalloc, low_area)
{
	char *p = vmalloc_32(3 * PAGE_SIZE - 100);
	struct vm_struct *area = find_vm_area(p + 5000);

	cr_assert(p && is_vmalloc_addr(p) && is_vmalloc_addr(p + 9999));
	cr_assert(area && area->addr == p && area->nr_pages == 3);
	memset(p, 1, 3 * PAGE_SIZE);
	p = vrealloc(p, 3 * PAGE_SIZE, GFP_KERNEL);
	cr_assert(area->addr == p, "in place");
	vfree(p);
	cr_assert_not(is_vmalloc_addr(p));
	cr_assert_null(vmalloc_32(0));
	cr_assert_null(vmalloc_32(33 * MIB));
}

Test(vmalloc, low_guard_page, .signal = SIGSEGV)
{
	volatile char *p = vmalloc_32_user(10000);

	((volatile char *)hide((size_t)p))[3 * PAGE_SIZE] = 1;
}

/* A guard becomes a page like any other when its area is freed. */
Test(vmalloc, low_guards_come_and_go)
{
	char *p[50];
	int i, round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 50; i++) {
			size_t size = (size_t)((i * 7 + round) % 13 + 1) * PAGE_SIZE;

			p[i] = round % 2 ? vmalloc_32(size) :
			       (char *)__get_free_pages(GFP_KERNEL | __GFP_DMA32, get_order(size));
			cr_assert(p[i] && all_bytes(p[i], 0, size));
			memset(p[i], round, size);
		}
		for (i = 0; i < 50; i++)
			kfree(p[(i * 11) % 50]);
	}
}

static void *low_areas(void *arg)
{
	int i;

	for (i = 0; i < 300; i++)
		vfree(memset(vmalloc_32(8000), i, 8000));
	return arg;
}

Test(vmalloc, low_areas_in_threads)
{
	in_threads(low_areas, NULL);
}

Test(vmalloc, zeroed_and_resized)
{
	char *p = vmalloc_user(3 * MIB);

	cr_assert(all_bytes(p, 0, 3 * MIB));
	memset(p, 1, 3 * MIB);
	vfree(p);
	p = vzalloc(3 * MIB);
	cr_assert(all_bytes(p, 0, 3 * MIB));
	memset(p, 1, 3 * MIB);
	p = vrealloc(p, 6 * MIB, GFP_KERNEL | __GFP_ZERO);
	cr_assert(all_bytes(p, 1, 3 * MIB) && all_bytes(p + 3 * MIB, 0, 3 * MIB));
	cr_assert_null(vrealloc(p, 0, GFP_KERNEL), "unlike krealloc");
	p = vmalloc_huge(3 * MIB, GFP_KERNEL);
	cr_assert(is_aligned(p, 2 * MIB));
	vfree(p);
}

Test(vmalloc, maps_what_stands_in_a_row)
{
	struct page *page = alloc_pages(GFP_KERNEL, 3), *pages[8];
	char *p;
	int i;

	for (i = 0; i < 8; i++)
		pages[i] = page + i;
	p = vmap(pages, 8, VM_MAP, PAGE_KERNEL);
	cr_assert_eq(p, page_address(page));
	memset(p, 1, 8 * PAGE_SIZE);
	cr_assert_eq(vmalloc_to_page(p + 5 * PAGE_SIZE), page + 5);
	vunmap(p);
	pages[3] = page;
	cr_assert_null(vmap(pages, 8, VM_MAP, PAGE_KERNEL), "not here");
	__free_pages(page, 3);
	cr_assert_null(vmalloc_to_page(vmalloc(9 * MIB)));
}

Test(pages, contiguous)
{
	struct page *page = alloc_contig_pages(37, GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE, NULL);

	cr_assert(page && all_bytes(page_address(page), 0, 37 * PAGE_SIZE));
	memset(page_address(page), 1, 37 * PAGE_SIZE);
	free_contig_range(page_to_pfn(page), 37);
	cr_assert_null(alloc_contig_pages(0, GFP_KERNEL, NUMA_NO_NODE, NULL));
	cr_assert_null(alloc_contig_pages(1u << 20, GFP_KERNEL, NUMA_NO_NODE, NULL));
}

Test(pages, folios)
{
	struct folio *folio = folio_alloc(GFP_KERNEL, 2);
	char *p = folio_address(folio);

	cr_assert(folio_order(folio) == 2 && folio_size(folio) == 4 * PAGE_SIZE);
	cr_assert_eq(folio_nr_pages(folio), 4);
	cr_assert_eq(virt_to_folio(p + 3 * PAGE_SIZE + 7), folio);
	cr_assert_eq(page_folio(folio_page(folio, 3)), folio);
	folio_get(folio);
	cr_assert_eq(folio_ref_count(folio), 2);
	folio_put(folio);
	memset(p, 1, 4 * PAGE_SIZE);
	folio_put(folio);
	cr_assert_eq(page_count(virt_to_page(p)), 0, "freed");
}

Test(pages, of_the_machine)
{
	unsigned long total = totalram_pages(), kib = 0;
	struct sysinfo info;
	FILE *file = fopen("/proc/meminfo", "r");

	cr_assert(file && fscanf(file, "MemTotal: %lu", &kib) == 1);
	fclose(file);
	si_meminfo(&info);
	cr_assert_gt(total, 0);
	cr_assert_eq(info.totalram * info.mem_unit >> PAGE_SHIFT, total);
	cr_assert_leq(kib * 1024 >> PAGE_SHIFT, total + 1);
	cr_assert_leq(total, (kib * 1024 >> PAGE_SHIFT) * 2);
}
