/* SPDX-License-Identifier: MIT */
/*
 * Returning memory.
 *
 * Two rules decide how much.
 *
 * The working set rule (Bonwick and Adams, "Magazines and Vmem", 2001, for depots): the fewest
 * free dirty pages seen in an epoch is what nobody needed in it, and goes back.  A program that
 * allocates and frees the same 100 MB twice an epoch keeps them; one that went idle has lost
 * them after two epochs, well within the decay period.  It needs somebody to run
 * the epochs: the helper thread, or a thread that happens to allocate.
 *
 * The slack rule is for processes without a helper: they may be idle from the next moment on, and
 * then nobody calls.  At each free of pages, what is beyond the slack goes back at once.  The
 * slack starts at a quarter of the pages in use, and grows when pages have to be faulted in soon
 * after they were purged (the purge was a mistake); each quiet epoch takes back a quarter of it.
 *
 * Locks: none; counters are relaxed atomics, and a lost update costs a purge too many or too few.
 */
#include "mm/reclaim.h"

#include "lib/bits.h"
#include "mm/vmap.h"
#include "mm/zone.h"
#include "os/os.h"

#define EPOCHS		3			/* in a decay period */
#define SLACK_MIN	((size_t)128)		/* pages: 512 KiB */
#define HELPER_PAGES	((size_t)256)		/* dirty and free: a helper would pay */

unsigned reclaim_epoch_ms;
_Atomic bool reclaim_in_background;
_Atomic bool reclaim_helper_wanted;
_Atomic size_t reclaim_live_pages = SIZE_MAX;

static _Atomic uint64_t epoch_end;
static _Atomic size_t purged_lately;		/* by the slack rule; halved every epoch */
static _Atomic size_t learned_slack;
static _Atomic size_t regretted;		/* pages faulted again in this epoch */

void reclaim_init(unsigned decay_ms)
{
	reclaim_epoch_ms = decay_ms / EPOCHS;
	atomic_store_explicit(&epoch_end, os_clock_ms() + reclaim_epoch_ms, memory_order_relaxed);
}

bool reclaim_due(void)
{
	uint64_t end = atomic_load_explicit(&epoch_end, memory_order_relaxed);
	uint64_t now = os_clock_ms();

	return now >= end &&
	       atomic_compare_exchange_strong_explicit(&epoch_end, &end, now + reclaim_epoch_ms,
						       memory_order_relaxed, memory_order_relaxed);
}

static void slack_adapt(void)
{
	size_t learned = ATOMIC_READ(learned_slack);

	if (!atomic_exchange_explicit(&regretted, 0, memory_order_relaxed))
		ATOMIC_WRITE(learned_slack, learned - learned / 4);
	ATOMIC_WRITE(purged_lately, ATOMIC_READ(purged_lately) / 2);
}

/*
 * A block below 64 KiB costs a system call for little, and is likely to merge with a neighbour
 * soon: it goes only when most of what should go is in such blocks.
 */
static size_t purge_blocks(size_t pages)
{
	size_t done = pages ? zone_purge(pages, 4) : 0;

	if (done < pages / 2)
		done += zone_purge(pages - done, 0);
	return done;
}

void reclaim_epoch(void)
{
	size_t low;

	purge_blocks(zone_dirty_low_reset());
	low = vmap_lazy_low_reset();
	if (low)
		vmap_purge(low);
	zone_purge_metadata();
	slack_adapt();
}

size_t reclaim_dirty_pages(void)
{
	return READ_ONCE(zone.nr_dirty) + vmap_lazy_pages();
}

size_t reclaim_used_pages(void)
{
	return READ_ONCE(zone.managed) - READ_ONCE(zone.nr_free) + vmap_busy_pages();
}

size_t reclaim_slack(void)
{
	size_t live = min(reclaim_used_pages(), ATOMIC_READ(reclaim_live_pages));
	size_t base = reclaim_epoch_ms ? max(live / 4, SLACK_MIN) : 0;

	return base + ATOMIC_READ(learned_slack);
}

void reclaim_note_purge(size_t pages)
{
	atomic_fetch_add_explicit(&purged_lately, pages, memory_order_relaxed);
}

void reclaim_note_free(void)
{
	size_t dirty, allowed, done;

	if (ATOMIC_READ(reclaim_in_background) && reclaim_epoch_ms)
		return;
	dirty = reclaim_dirty_pages();
	if (dirty >= HELPER_PAGES)
		ATOMIC_WRITE(reclaim_helper_wanted, true);
	allowed = reclaim_slack();
	if (likely(dirty <= allowed))
		return;
	/* Below the mark by half, so that the next frees do not purge again. */
	dirty -= allowed / 2;
	done = vmap_purge(min(dirty, vmap_lazy_pages()));
	done += purge_blocks(dirty - min(dirty, done));
	reclaim_note_purge(done);
}

/* A fault is a regret only as far as there were purges that may have caused it. */
void reclaim_note_fault(size_t pages)
{
	size_t purged = ATOMIC_READ(purged_lately);

	if (likely(!purged))
		return;
	pages = min(pages, purged);
	atomic_fetch_sub_explicit(&purged_lately, pages, memory_order_relaxed);
	atomic_fetch_add_explicit(&regretted, pages, memory_order_relaxed);
	atomic_fetch_add_explicit(&learned_slack, pages, memory_order_relaxed);
}

size_t reclaim_all(void)
{
	size_t pages = zone_purge(SIZE_MAX, 0) + vmap_purge(SIZE_MAX);

	zone_purge_metadata();
	return pages;
}
