/* SPDX-License-Identifier: MIT */
/*
 * The contract of GFP flags.
 *
 *	no __GFP_DIRECT_RECLAIM	one attempt that neither waits nor makes a system call; it leaves
 *				as many free pages as its watermark says
 *	__GFP_NORETRY		one gentle round of reclaim, one more attempt
 *	orders up to 3,
 *	__GFP_RETRY_MAYFAIL	MAX_RECLAIM_RETRIES rounds, each one harsher
 *	larger orders		one round with everything
 *	__GFP_NOFAIL		rounds for ever, with pauses
 *
 * An attempt that may block has already given up all that the library keeps for speed (heap.c); a
 * round runs the program's shrinkers, with flags, and trims once more.
 *
 * Watermarks: zone.reserve free pages stay for GFP_ATOMIC, which may take half of them, and for
 * __GFP_MEMALLOC, which may take all.  They are mapped, so taking them needs no system call.  They
 * are set aside when the program first uses this interface for something that may block; a process
 * that only calls malloc has none.
 *
 * Locks: none; everything here runs outside of the gate, since shrinkers are the program's.
 *
 * References: Linux mm/page_alloc.c (__alloc_pages_slowpath, __zone_watermark_ok).
 */
#include "kmalloc/api.h"

#include "lib/bug.h"
#include "magazine/thread.h"
#include "mm/zone.h"

#define RESERVE_PAGES	((size_t)64)		/* 256 KiB: the kernel's is 128 KiB and more */
#define PAUSE_MS	10

/* Scopes of a thread: bits that are taken from every request, and one that is added. */
#define SCOPE_NOIO	1u
#define SCOPE_NOFS	2u
#define SCOPE_MEMALLOC	4u

static _Atomic uint32_t pause_word;		/* nobody wakes it */

gfp_t gfp_context(gfp_t gfp)
{
	unsigned scope = thread_tls.gfp_scope;

	if (unlikely(gfp_special == ANY_GFP))
		gfp_look_at_options();
	gfp |= gfp_always;
	if (likely(!scope))
		return gfp;
	if (scope & SCOPE_NOIO)
		gfp &= ~(__GFP_IO | __GFP_FS);
	if (scope & SCOPE_NOFS)
		gfp &= ~__GFP_FS;
	if (scope & SCOPE_MEMALLOC)
		gfp |= __GFP_MEMALLOC;
	return gfp;
}

size_t gfp_watermark(gfp_t gfp)
{
	size_t min_pages = READ_ONCE(zone.reserve);

	if (gfp & __GFP_NOMEMALLOC)
		return min_pages;
	if (gfp & __GFP_MEMALLOC)
		return 0;
	/* As in the kernel: half for __GFP_HIGH, and a quarter of that less if it may not block. */
	if (gfp & __GFP_HIGH)
		min_pages -= gfp_may_block(gfp) ? min_pages / 2 : min_pages / 2 + min_pages / 8;
	return min_pages;
}

/*
 * Pages are mapped until there are enough of them free; whoever takes the last ones in
 * between has to share them.
 */
static __cold void reserve_set_up(void)
{
	static _Atomic bool tried;
	struct page *page;

	if (atomic_load(&tried) || !heap_enter_wait())
		return;
	if (atomic_exchange(&tried, true)) {
		gate_leave();
		return;
	}
	page = zone_alloc(RESERVE_PAGES, 0);
	if (page) {
		os_populate((void *)page_to_addr(page), RESERVE_PAGES << PAGE_SHIFT);
		WRITE_ONCE(zone.reserve, RESERVE_PAGES);
		zone_free(page, RESERVE_PAGES);
	}
	gate_leave();
}

/* What the kernel's kswapd does, by the caller: some pages are mapped and free. */
bool gfp_refill(void)
{
	struct page *page;

	if (!heap_enter_wait())
		return false;
	page = zone_alloc(RESERVE_PAGES, 0);
	if (page)
		zone_free(page, RESERVE_PAGES);
	gate_leave();
	return page != NULL;
}

/*
 * Reclaim.
 */

static void pause_a_little(void)
{
	os_futex_wait(&pause_word, 0, PAUSE_MS);
}

static unsigned long reclaim(gfp_t gfp, int priority)
{
	unsigned long freed = 0;

	if (!(thread_tls.gfp_scope & SCOPE_MEMALLOC))
		freed = shrink_all(gfp, priority);
	return freed + heap_trim();
}

static unsigned rounds_for(const struct gfp_request *req)
{
	if (req->gfp & __GFP_NORETRY)
		return 1;
	if (req->order <= COSTLY_ORDER || req->gfp & __GFP_RETRY_MAYFAIL)
		return MAX_RECLAIM_RETRIES;
	return 1;
}

/* From 12, the gentlest, down to 0 in the middle of the rounds. */
static int priority_of(const struct gfp_request *req, unsigned round, unsigned rounds)
{
	if (req->gfp & __GFP_NORETRY)
		return 12;
	return rounds == 1 || round >= 6 ? 0 : 12 - 2 * (int)round;
}

static void *alloc_retry(struct gfp_request *req)
{
	unsigned rounds = rounds_for(req), round;
	void *ptr = NULL;

	for (round = 0; round < rounds && !ptr; round++) {
		if (!reclaim(req->gfp, priority_of(req, round, rounds)) && round > 12)
			pause_a_little();
		ptr = req->attempt(req);
	}
	return ptr;
}

static void *alloc_nofail(struct gfp_request *req)
{
	void *ptr;

	while (!(ptr = alloc_retry(req)))
		pause_a_little();
	return ptr;
}

/*
 * Failure.
 */

static void *alloc_failed(const struct gfp_request *req)
{
	if (!(req->gfp & __GFP_NOWARN))
		gfp_report_failure(req);
	return NULL;
}

static void warn_nofail(void)
{
	static _Atomic bool warned;

	if (!atomic_exchange(&warned, true))
		warn("__GFP_NOFAIL without __GFP_DIRECT_RECLAIM: it may fail");
}

void *gfp_alloc(struct gfp_request *req)
{
	bool may_block = gfp_may_block(req->gfp);
	void *ptr;

	if (unlikely(!READ_ONCE(zone.reserve)) && may_block)
		reserve_set_up();
	ptr = req->attempt(req);
	if (likely(ptr))
		return ptr;
	if (!may_block) {
		if (req->gfp & __GFP_NOFAIL)
			warn_nofail();
		return alloc_failed(req);
	}
	ptr = req->gfp & __GFP_NOFAIL ? alloc_nofail(req) : alloc_retry(req);
	return ptr ? ptr : alloc_failed(req);
}

/*
 * Scopes.
 */

static unsigned scope_enter(unsigned bit)
{
	unsigned old = thread_tls.gfp_scope & bit;

	thread_tls.gfp_scope |= (uint8_t)bit;
	return old;
}

static void scope_leave(unsigned bit, unsigned old)
{
	thread_tls.gfp_scope = (uint8_t)((thread_tls.gfp_scope & ~bit) | (old & bit));
}

unsigned memalloc_noio_save(void)
{
	return scope_enter(SCOPE_NOIO);
}

void memalloc_noio_restore(unsigned flags)
{
	scope_leave(SCOPE_NOIO, flags);
}

unsigned memalloc_nofs_save(void)
{
	return scope_enter(SCOPE_NOFS);
}

void memalloc_nofs_restore(unsigned flags)
{
	scope_leave(SCOPE_NOFS, flags);
}

unsigned memalloc_noreclaim_save(void)
{
	return scope_enter(SCOPE_MEMALLOC);
}

void memalloc_noreclaim_restore(unsigned flags)
{
	scope_leave(SCOPE_MEMALLOC, flags);
}

gfp_t current_gfp_context(gfp_t gfp)
{
	return gfp_context(gfp);
}

void memalloc_retry_wait(gfp_t gfp)
{
	(void)gfp;
	pause_a_little();
}

void might_alloc(gfp_t gfp)
{
	(void)gfp;
}
