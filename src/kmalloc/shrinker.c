/* SPDX-License-Identifier: MIT */
/*
 * Shrinkers: the program's caches are asked to become smaller when memory is short.
 *
 * How much is asked of one follows the kernel: at priority p, (objects >> p) * 4 / seeks of them,
 * in batches; what is less than a batch is put off to the next time.
 *
 * A shrinker runs with no lock of ours held, so it may free and even allocate; it is not called
 * from within itself.  shrinker_free waits until its callbacks have returned.
 *
 * Locks: shrinkers_lock for the list and km_users.
 *
 * References: Linux mm/shrinker.c (do_shrink_slab).
 */
#include "kmalloc/api.h"

#include <stdarg.h>
#include <string.h>

#include "lib/fmt.h"
#include "os/lock.h"

static struct os_mutex shrinkers_lock = OS_MUTEX(RANK_INIT);
static struct list_node shrinkers = { &shrinkers, &shrinkers };

static struct list_node *node_of(struct shrinker *shrinker)
{
	return (struct list_node *)&shrinker->km_list;
}

static struct shrinker *shrinker_of(struct list_node *node)
{
	return container_of(node, struct shrinker, km_list);
}

/*
 * The lock is held only inside the gate, so that fork() never finds it taken.
 */

static bool lock_list(void)
{
	if (!heap_enter())
		return false;
	os_mutex_lock(&shrinkers_lock);
	return true;
}

static void unlock_list(void)
{
	os_mutex_unlock(&shrinkers_lock);
	gate_leave();
}

static struct shrinker *alloc_named(unsigned flags, const char *fmt, va_list ap)
{
	struct shrinker *shrinker = do_kmalloc(sizeof(*shrinker), GFP_KERNEL | __GFP_ZERO);

	if (!shrinker)
		return NULL;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker->flags = flags;
	fmt_vsnprint(shrinker->km_name, sizeof(shrinker->km_name), fmt, ap);
	return shrinker;
}

struct shrinker *shrinker_alloc(unsigned flags, const char *fmt, ...)
{
	struct shrinker *shrinker;
	va_list ap;

	va_start(ap, fmt);
	shrinker = alloc_named(flags, fmt, ap);
	va_end(ap);
	return shrinker;
}

static void list_shrinker(struct shrinker *shrinker)
{
	if (!lock_list())
		return;
	shrinker->km_listed = true;
	shrinker->km_users = 0;
	list_add_tail(node_of(shrinker), &shrinkers);
	unlock_list();
}

/* False while a callback runs. */
static bool try_unlist(struct shrinker *shrinker)
{
	bool done;

	if (!lock_list())
		return false;
	done = !shrinker->km_listed || !shrinker->km_users;
	if (done && shrinker->km_listed) {
		list_del(node_of(shrinker));
		shrinker->km_listed = false;
	}
	unlock_list();
	return done;
}

static void unlist_shrinker(struct shrinker *shrinker)
{
	unsigned i;

	for (i = 0; !try_unlist(shrinker); i++)
		os_yield_cpu(i);
}

void shrinker_register(struct shrinker *shrinker)
{
	list_shrinker(shrinker);
}

void shrinker_free(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
	unlist_shrinker(shrinker);
	do_kfree(shrinker);
}

int register_shrinker(struct shrinker *shrinker, const char *fmt, ...)
{
	(void)fmt;
	if (!shrinker->seeks)
		shrinker->seeks = DEFAULT_SEEKS;
	list_shrinker(shrinker);
	return 0;
}

void unregister_shrinker(struct shrinker *shrinker)
{
	if (shrinker->km_listed)
		unlist_shrinker(shrinker);
}

/*
 * Shrinking.
 */

static unsigned long delta_of(const struct shrinker *shrinker, unsigned long freeable, int priority)
{
	if (!shrinker->seeks)
		return freeable / 2;
	return (freeable >> priority) * 4 / (unsigned long)shrinker->seeks;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc, unsigned long total,
			  unsigned long freeable)
{
	unsigned long batch = shrinker->batch ? (unsigned long)shrinker->batch : SHRINK_BATCH;
	unsigned long freed = 0, left = total;

	/* Less than a batch is put off, unless it is all there is. */
	while (left >= batch || left >= freeable) {
		unsigned long now = min(batch, left), ret;

		if (!now)
			break;
		sc->nr_to_scan = now;
		sc->nr_scanned = now;
		ret = shrinker->scan_objects(shrinker, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		left -= min(left, max(sc->nr_scanned, 1ul));
	}
	shrinker->km_deferred = left;
	return freed;
}

static unsigned long shrink_one(struct shrinker *shrinker, gfp_t gfp, int priority)
{
	struct shrink_control sc = { .gfp_mask = gfp };
	unsigned long freeable = shrinker->count_objects(shrinker, &sc), total;

	if (!freeable || freeable == SHRINK_EMPTY || freeable == SHRINK_STOP)
		return 0;
	total = shrinker->km_deferred + delta_of(shrinker, freeable, priority);
	total = min(total, 2 * freeable);
	return scan(shrinker, &sc, total, freeable);
}

/* The one behind @last, or the first one if that is NULL; @last is given back. */
static struct shrinker *next_shrinker(struct shrinker *last)
{
	struct list_node *node;
	struct shrinker *next = NULL;

	/* It can only fail because of a fork() that takes long. */
	while (!lock_list())
		os_yield_cpu(~0u);
	node = last ? node_of(last)->next : shrinkers.next;
	if (last)
		last->km_users--;
	if (node != &shrinkers) {
		next = shrinker_of(node);
		next->km_users++;
	}
	unlock_list();
	return next;
}

unsigned long shrink_all(gfp_t gfp, int priority)
{
	struct shrinker *shrinker = NULL;
	unsigned long freed = 0;

	if (list_empty(&shrinkers) || thread_tls.shrinking || ATOMIC_READ(thread_tls.busy))
		return 0;
	thread_tls.shrinking = true;
	while ((shrinker = next_shrinker(shrinker)))
		freed += shrink_one(shrinker, gfp, priority);
	thread_tls.shrinking = false;
	return freed;
}
