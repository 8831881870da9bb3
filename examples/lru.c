/* SPDX-License-Identifier: MIT */
/*
 * A cache of results that uses as much memory as there is: a shrinker gives up the oldest ones when
 * something else needs it.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include <stdio.h>
#include <sys/resource.h>

struct result {
	struct list_head lru;
	char text[16000];
};

static LIST_HEAD(lru);			/* newest first */
static unsigned long nr_results;

static void forget_oldest(void)
{
	struct result *oldest = list_last_entry(&lru, struct result, lru);

	list_del(&oldest->lru);
	nr_results--;
	kfree(oldest);
}

static unsigned long count_results(struct shrinker *shrinker, struct shrink_control *sc)
{
	(void)shrinker;
	(void)sc;
	return nr_results ? nr_results : SHRINK_EMPTY;
}

static unsigned long scan_results(struct shrinker *shrinker, struct shrink_control *sc)
{
	unsigned long freed;

	(void)shrinker;
	for (freed = 0; freed < sc->nr_to_scan && nr_results; freed++)
		forget_oldest();
	return freed;
}

static void remember(void)
{
	struct result *r = kmalloc(sizeof(*r), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

	if (!r)
		return;
	list_add(&r->lru, &lru);
	nr_results++;
}

int main(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "results");
	struct rlimit limit = { 32 << 20, 32 << 20 };
	unsigned long before;
	void *urgent;
	int i;

	if (!shrinker)
		return 1;
	shrinker->count_objects = count_results;
	shrinker->scan_objects = scan_results;
	shrinker_register(shrinker);
	setrlimit(RLIMIT_DATA, &limit);
	for (i = 0; i < 10000; i++)
		remember();
	before = nr_results;
	urgent = kmalloc(2 << 20, GFP_KERNEL);
	printf("%lu results kept; 2 MiB for something urgent: %s; %lu results left\n", before,
	       urgent ? "yes" : "no", nr_results);
	shrinker_free(shrinker);
	return !urgent || nr_results >= before;
}
