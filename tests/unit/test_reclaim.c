/* SPDX-License-Identifier: MIT */
/*
 * Returning memory: what nobody needed through an epoch goes back, what exceeds the slack goes back
 * at once where there is no helper, and a purge that was a mistake is learned from.
 */
#include "unit.h"

#include "mm/reclaim.h"
#include "mm/vmap.h"
#include "mm/zone.h"

enum { BLOCK = 64, MAX_BLOCKS = 200 };

static struct page *blocks[MAX_BLOCKS];
static unsigned nr_blocks;

static void setup(void)
{
	zone_init();
	reclaim_init(1000);
}

TestSuite(reclaim, .init = setup, .timeout = 60);

static void take(unsigned pages)
{
	for (unsigned i = 0; i < pages / BLOCK; i++) {
		struct page *page = zone_alloc(BLOCK, 0);

		cr_assert(page && nr_blocks < MAX_BLOCKS);
		memset((void *)page_to_addr(page), 1, BLOCK * PAGE_SIZE);
		blocks[nr_blocks++] = page;
	}
}

static void give(unsigned pages)
{
	for (unsigned i = 0; i < pages / BLOCK; i++)
		zone_free(blocks[--nr_blocks], BLOCK);
}

Test(reclaim, what_was_not_needed_for_an_epoch_goes_back)
{
	take(1280);
	give(1280);
	cr_assert(zone.nr_dirty == 1280);
	reclaim_epoch();		/* in this one all of it was in use */
	cr_assert(zone.nr_dirty == 1280);
	reclaim_epoch();
	cr_assert(zone.nr_dirty == 0);
}

Test(reclaim, what_is_needed_every_epoch_stays)
{
	size_t purged;

	take(1280);
	give(1280);
	reclaim_epoch();
	purged = zone.purged;
	for (int i = 0; i < 10; i++) {
		take(1280);
		give(1280);
		reclaim_epoch();
		cr_assert(zone.nr_dirty == 1280);
	}
	cr_assert(zone.purged == purged);
	/* A part of it is no longer needed. */
	for (int i = 0; i < 2; i++) {
		take(640);
		give(640);
		reclaim_epoch();
	}
	cr_assert(zone.nr_dirty >= 640 && zone.nr_dirty < 640 + BLOCK, "%zu", zone.nr_dirty);
}

Test(reclaim, areas_follow_the_same_rule)
{
	size_t dirty;
	void *area = vmap_alloc((size_t)8 << 20, PAGE_SIZE, &dirty);

	cr_assert(area && vmap_free(area));
	reclaim_epoch();
	cr_assert(vmap_lazy_pages() == 2048);
	reclaim_epoch();
	cr_assert(vmap_lazy_pages() == 0);
}

Test(reclaim, a_slack_is_kept)
{
	take(64);
	give(64);
	reclaim_note_free();
	cr_assert(zone.nr_dirty == 64);
}

Test(reclaim, beyond_the_slack_goes_back_at_once)
{
	take(2560);
	give(2560);
	reclaim_note_free();
	cr_assert(zone.nr_dirty <= 256, "%zu dirty pages", zone.nr_dirty);
	cr_assert(zone.nr_dirty > 0);
}

Test(reclaim, slack_is_a_part_of_what_is_in_use)
{
	take(12800);
	give(2432);			/* 2432 <= 10368 / 4 */
	reclaim_note_free();
	cr_assert(zone.nr_dirty == 2432, "%zu", zone.nr_dirty);
	give(384);			/* 2816 > 9984 / 4 */
	reclaim_note_free();
	cr_assert(zone.nr_dirty < 2432, "%zu", zone.nr_dirty);
}

Test(reclaim, areas_go_before_blocks)
{
	size_t dirty;
	void *area = vmap_alloc((size_t)16 << 20, PAGE_SIZE, &dirty);

	take(192);
	give(192);
	cr_assert(area && vmap_free(area));
	reclaim_note_free();
	cr_assert(vmap_lazy_pages() == 0);
	cr_assert(zone.nr_dirty > 0);
}

Test(reclaim, without_decay_nothing_is_kept)
{
	reclaim_init(0);
	take(128);
	give(128);
	reclaim_note_free();
	cr_assert(zone.nr_dirty == 0);
}

Test(reclaim, a_helper_does_it_instead)
{
	reclaim_in_background = true;
	take(2560);
	give(2560);
	reclaim_note_free();
	cr_assert(zone.nr_dirty == 2560);
	cr_assert(reclaim_dirty_pages() == 2560);
}

static size_t kept_after_a_wave(void)
{
	take(2560);
	give(2560);
	reclaim_note_free();
	return zone.nr_dirty;
}

Test(reclaim, mistakes_are_learned_from_and_forgotten)
{
	size_t kept = kept_after_a_wave();

	cr_assert(kept <= 256);
	/* The same wave again: what was purged had to be faulted in, so it is kept this time. */
	kept_after_a_wave();
	cr_assert(kept_after_a_wave() == 2560);
	for (int i = 0; i < 16; i++)
		reclaim_epoch();
	cr_assert(zone.nr_dirty == 0);
	cr_assert(kept_after_a_wave() <= 256);
}

/* Memory that is touched for the first time was not purged by mistake. */
Test(reclaim, growing_is_no_mistake)
{
	kept_after_a_wave();
	for (int i = 0; i < 8; i++)
		reclaim_epoch();
	take(6400);
	give(6400);
	reclaim_note_free();
	cr_assert(zone.nr_dirty <= 256, "%zu", zone.nr_dirty);
}

static _Atomic unsigned nr_due;

static void *ask(void *arg)
{
	for (int i = 0; i < 100; i++)
		atomic_fetch_add(&nr_due, reclaim_due());
	return arg;
}

Test(reclaim, an_epoch_ends_once_and_for_one_thread)
{
	reclaim_init(400);
	cr_assert(!reclaim_due());
	usleep(250000);
	run_threads(4, ask, NULL);
	cr_assert(nr_due == 1, "%u", (unsigned)nr_due);
}

Test(reclaim, all_is_all)
{
	size_t dirty;

	take(128);
	vmap_free(vmap_alloc((size_t)8 << 20, PAGE_SIZE, &dirty));
	give(128);
	cr_assert(reclaim_dirty_pages() >= 2048 + 128);
	cr_assert(reclaim_all() >= 2048 + 128);
	cr_assert(reclaim_dirty_pages() == 0);
	cr_assert(reclaim_all() == 0);
}
