/* SPDX-License-Identifier: MIT */
/*
 * A thread's magazines for caches that are not kmalloc's: a table by cache id that grows with the
 * highest id the thread uses.
 *
 * Locks: others walk the tables under threads_lock, so a thread replaces its own under that lock.
 */
#include <string.h>

#include "magazine/exchange.h"
#include "mm/zone.h"

#define SLOTS_A_PAGE	(PAGE_SIZE / sizeof(struct thread_slot))

static void slots_replace(struct thread_slot *slots, unsigned nr)
{
	threads_lock_take();
	if (thread_tls.nr_slots)
		memcpy(slots, thread_tls.slots, thread_tls.nr_slots * sizeof(*slots));
	thread_tls.slots = slots;
	thread_tls.nr_slots = nr;
	thread_tls.slot_bytes = nr * (uint32_t)sizeof(*slots);
	threads_lock_drop();
}

void thread_slots_free(struct thread_slot *slots)
{
	struct page *page;

	if (!slots)
		return;
	page = virt_to_page(slots);
	zone_free(page, page->nr_pages);
}

static bool slots_grow(unsigned id)
{
	unsigned pages = max(id / SLOTS_A_PAGE + 1, 2 * thread_tls.nr_slots / SLOTS_A_PAGE), i;
	struct page *page = zone_alloc(pages, 0);
	struct thread_slot *slots, *old = thread_tls.slots;

	if (!page)
		return false;
	slots = (struct thread_slot *)page_to_addr(page);
	for (i = 0; i < pages * SLOTS_A_PAGE; i++)
		slots[i] = (struct thread_slot){ .top = NO_TOP };
	slots_replace(slots, pages * (unsigned)SLOTS_A_PAGE);
	thread_slots_free(old);
	return true;
}

static struct thread_slot *slot_of(struct kmem_cache *s)
{
	if (unlikely(!thread_self()))
		return NULL;
	if (unlikely(s->id >= thread_tls.nr_slots) && !slots_grow(s->id))
		return NULL;
	return &thread_tls.slots[s->id];
}

void *thread_cache_alloc(struct kmem_cache *s)
{
	struct thread_slot *slot = slot_of(s);

	return slot ? magazine_alloc(s, &slot->top, &slot->rest) : magazine_alloc_one(s);
}

void thread_cache_free(struct kmem_cache *s, void *object)
{
	struct thread_slot *slot = slot_of(s);

	if (slot)
		magazine_free(s, &slot->top, &slot->rest, object);
	else
		magazine_free_one(s, object);
}
