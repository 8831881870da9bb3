/* SPDX-License-Identifier: MIT */
/*
 * Shrinkers.
 */
#include "kapi.h"

TestSuite(shrinker, .timeout = 120);

/* A cache of the program's: a list of blocks. */
struct block {
	struct block *next;
	char rest[60000];
};

static struct block *blocks;
static unsigned long nr_blocks, scans;
static gfp_t seen_gfp;

static unsigned long count_blocks(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	seen_gfp = sc->gfp_mask;
	return nr_blocks ? nr_blocks : SHRINK_EMPTY;
}

static unsigned long scan_blocks(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed = 0;

	(void)shrinker;
	scans++;
	while (blocks && freed < sc->nr_to_scan) {
		struct block *block = blocks;

		blocks = block->next;
		nr_blocks--;
		kfree(block);
		freed++;
	}
	return freed;
}

static struct shrinker *fill_blocks(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "blocks-%d", 1);
	struct block *block;

	shrinker->count_objects = count_blocks;
	shrinker->scan_objects = scan_blocks;
	shrinker_register(shrinker);
	refuse_memory_beyond(4 * MIB);
	while ((block = kmalloc(sizeof(*block), GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY))) {
		block->next = blocks;
		blocks = block;
		nr_blocks++;
	}
	return shrinker;
}

Test(shrinker, runs_when_memory_is_short)
{
	struct shrinker *shrinker = fill_blocks();
	unsigned long before = nr_blocks;
	void *p;

	cr_assert_gt(before, 10);
	p = kmalloc(50000, GFP_KERNEL);
	cr_assert(p && scans && nr_blocks < before);
	cr_assert_eq(seen_gfp & __GFP_FS, __GFP_FS);
	shrinker_free(shrinker);
}

Test(shrinker, sees_the_scope_of_the_thread)
{
	struct shrinker *shrinker = fill_blocks();
	unsigned int scope = memalloc_nofs_save();

	cr_assert(kmalloc(50000, GFP_KERNEL));
	cr_assert_eq(seen_gfp & (__GFP_FS | __GFP_IO), __GFP_IO);
	memalloc_nofs_restore(scope);
	cr_assert_eq(current_gfp_context(GFP_KERNEL), GFP_KERNEL);
	shrinker_free(shrinker);
}

Test(shrinker, run_by_reap)
{
	struct shrinker *shrinker = fill_blocks();
	int i;

	scans = 0;
	/* Half of them at a time; less than a batch is put off. */
	for (i = 0; i < 4; i++)
		kmem_cache_reap(GFP_KERNEL);
	cr_assert_gt(scans, 0);
	shrinker_free(shrinker);
	scans = 0;
	kmem_cache_reap(GFP_KERNEL);
	cr_assert_eq(scans, 0, "gone");
}
