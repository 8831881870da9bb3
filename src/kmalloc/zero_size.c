/* SPDX-License-Identifier: MIT */
/*
 * What malloc(0) returns: a pointer of its own each time, to memory that may not be touched.
 *
 * It is an object like any other, of a cache whose slabs are inaccessible: neither the library nor
 * the program ever reads or writes it, so only address space is spent, a free of it is checked as
 * every other one, and it can come again only after it was freed.  A program that has a thousand of
 * them makes one system call for each thousand.  Where the system refuses that call, the object is
 * an ordinary one of the smallest size.
 *
 * Programs that read the byte that they did not ask for exist: option zero_size.
 *
 * Locks: those of a cache.
 */
#include "kmalloc/heap.h"
#include "mm/zone.h"
#include "os/options.h"

static struct kmem_cache zero_cache;
static bool guarded;

static struct page *get_pages(struct kmem_cache *s)
{
	struct page *pages = zone_alloc(1u << s->order, s->order);

	if (!pages)
		return NULL;
	os_purge((void *)page_to_addr(pages), PAGE_SIZE << s->order);
	if (!os_protect((void *)page_to_addr(pages), PAGE_SIZE << s->order))
		return pages;
	zone_free(pages, 1u << s->order);
	return NULL;
}

/* Pages that stay inaccessible cannot go back: the slab is lost. */
static bool release(struct kmem_cache *s, struct page *slab)
{
	return !os_commit((void *)page_to_addr(slab), PAGE_SIZE << s->order);
}

static const struct slab_hooks hooks = {
	.get_pages = get_pages,
	.release = release,
};

void zero_size_init(void)
{
	guarded = options.zero_size == ZERO_SIZE_GUARD &&
		  cache_init(&zero_cache, "malloc-0", 16, 16, 0);
	if (!guarded)
		return;
	zero_cache.hooks = &hooks;
	magazine_setup(&zero_cache);
}

void *heap_alloc_nothing(void)
{
	void *ptr = NULL;

	if (guarded && heap_enter()) {
		ptr = thread_cache_alloc(&zero_cache);
		gate_leave();
	}
	return ptr ? ptr : heap_alloc(1);
}

bool is_zero_size_cache(const struct kmem_cache *s)
{
	return s == &zero_cache;
}
