/* SPDX-License-Identifier: MIT */
/*
 * Returning memory.
 *
 * Two rules decide how much.
 *
 * The working set rule (Bonwick and Adams, "Magazines and Vmem", 2001, for depots): the fewest
 * free dirty pages seen in an epoch is what nobody needed in it, and goes back.  A program that
 * allocates and frees the same 100 MB twice an epoch keeps them; one that went idle has lost
 * them after two epochs, which is one decay period.  It needs somebody to run
 * the epochs: the helper thread, or a thread that happens to allocate.
 *
 * The slack rule is for processes without a helper: they may be idle from the next moment on, and
 * then nobody calls.  At each free of pages, what is beyond the slack goes back at once.  The
 * slack starts at an eighth of the pages in use, and grows when pages have to be faulted in soon
 * after they were purged (the purge was a mistake); each quiet epoch halves what it had grown.
 *
 * Locks: none; counters are relaxed atomics, and a lost update costs a purge too many or too few.
 */
#include "mm/reclaim.h"

#include "lib/bits.h"
#include "mm/vmap.h"
#include "mm/zone.h"
#include "os/os.h"

#define SLACK_MIN	((size_t)256)		/* pages: 1 MiB */
#define REGRET_EPOCHS	2

unsigned reclaim_epoch_ms = 500;
_Atomic bool reclaim_in_background;

static _Atomic uint64_t epoch_end;
static _Atomic unsigned epoch_nr;
static _Atomic unsigned last_purge;		/* epoch_nr of the last purge by the slack rule */
static _Atomic size_t learned_slack;
static _Atomic size_t regretted;		/* pages faulted again in this epoch */

void reclaim_init(unsigned decay_ms)
{
	reclaim_epoch_ms = decay_ms / 2;
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
	size_t learned = READ_ONCE(learned_slack);

	if (!atomic_exchange_explicit(&regretted, 0, memory_order_relaxed))
		WRITE_ONCE(learned_slack, learned / 2);
	atomic_fetch_add_explicit(&epoch_nr, 1, memory_order_relaxed);
}

/*
 * A block below 64 KiB costs a system call for little, and is likely to merge with a neighbour
 * soon: it goes only when most of what should go is in such blocks.
 */
static void purge_blocks(size_t pages)
{
	size_t done = pages ? zone_purge(pages, 4) : 0;

	if (done < pages / 2)
		zone_purge(pages - done, 0);
}

void reclaim_epoch(void)
{
	size_t low;

	purge_blocks(zone_dirty_low_reset());
	low = vmap_lazy_low_reset();
	if (low)
		vmap_purge(low);
	slack_adapt();
}

size_t reclaim_dirty_pages(void)
{
	return READ_ONCE(zone.nr_free[ZONE_DIRTY]) + vmap_lazy_pages();
}

static size_t slack(void)
{
	size_t used = READ_ONCE(zone.managed) - READ_ONCE(zone.nr_free[ZONE_DIRTY]) -
		      READ_ONCE(zone.nr_free[ZONE_CLEAN]);
	size_t base = reclaim_epoch_ms ? max(used / 8, SLACK_MIN) : 0;

	return base + READ_ONCE(learned_slack);
}

void reclaim_note_free(void)
{
	size_t dirty, allowed;

	if (READ_ONCE(reclaim_in_background) && reclaim_epoch_ms)
		return;
	dirty = reclaim_dirty_pages();
	allowed = slack();
	if (likely(dirty <= allowed))
		return;
	WRITE_ONCE(last_purge, READ_ONCE(epoch_nr));
	/* Below the mark by half, so that the next frees do not purge again. */
	dirty -= allowed / 2;
	dirty -= min(dirty, vmap_purge(min(dirty, vmap_lazy_pages())));
	purge_blocks(dirty);
}

void reclaim_note_fault(size_t pages)
{
	if (READ_ONCE(reclaim_in_background) || !READ_ONCE(zone.purged))
		return;
	if (READ_ONCE(epoch_nr) - READ_ONCE(last_purge) >= REGRET_EPOCHS)
		return;
	atomic_fetch_add_explicit(&regretted, pages, memory_order_relaxed);
	if (READ_ONCE(learned_slack) < READ_ONCE(zone.managed))
		atomic_fetch_add_explicit(&learned_slack, pages, memory_order_relaxed);
}

size_t reclaim_all(void)
{
	return zone_purge(SIZE_MAX, 0) + vmap_purge(SIZE_MAX);
}
