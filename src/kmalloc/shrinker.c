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
 * Locks: shrinkers_lock for the list and km_users; km_deferred is exchanged atomically.
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
	if (!heap_enter_wait())
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
	shrinker->km_leaving = false;
	shrinker->km_users = 0;
	list_add_tail(node_of(shrinker), &shrinkers);
	unlock_list();
}

/* False while a callback runs; no new one begins. */
static bool try_unlist(struct shrinker *shrinker)
{
	bool done;

	if (!lock_list())
		return false;
	shrinker->km_leaving = true;
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

static void free_listed(struct shrinker *shrinker)
{
	if (!shrinker)
		return;
	unlist_shrinker(shrinker);
	do_kfree(shrinker);
}

void shrinker_free(struct shrinker *shrinker)
{
	free_listed(shrinker);
}

int register_shrinker(struct shrinker *shrinker, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprint(shrinker->km_name, sizeof(shrinker->km_name), fmt, ap);
	va_end(ap);
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

/* Of Linux 2.6. */
struct shrinker *set_shrinker(int seeks, shrinker_t shrink)
{
	struct shrinker *shrinker = do_kmalloc(sizeof(*shrinker), GFP_KERNEL | __GFP_ZERO);

	if (!shrinker)
		return NULL;
	shrinker->seeks = seeks;
	shrinker->km_shrink = shrink;
	list_shrinker(shrinker);
	return shrinker;
}

void remove_shrinker(struct shrinker *shrinker)
{
	free_listed(shrinker);
}

/*
 * The child of a fork: callbacks that ran in other threads did not come along.  Those of the
 * calling thread did, and it may not wait for them anyway.
 */
void shrinkers_fork_child(void)
{
	struct list_node *node;

	if (thread_tls.shrinking)
		return;
	list_for_each(node, &shrinkers)
		shrinker_of(node)->km_users = 0;
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

/* The interface of 2.6 has one function for both: it returns how many there are afterwards. */
static unsigned long count_objects(struct shrinker *shrinker, struct shrink_control *sc)
{
	int ret;

	if (shrinker->count_objects)
		return shrinker->count_objects(shrinker, sc);
	ret = shrinker->km_shrink(0, sc->gfp_mask);
	return ret > 0 ? (unsigned long)ret : 0;
}

static unsigned long scan_objects(struct shrinker *shrinker, struct shrink_control *sc)
{
	int before, after;

	if (shrinker->count_objects)
		return shrinker->scan_objects(shrinker, sc);
	before = shrinker->km_shrink(0, sc->gfp_mask);
	after = shrinker->km_shrink((int)sc->nr_to_scan, sc->gfp_mask);
	if (after == -1)
		return SHRINK_STOP;
	return before > after ? (unsigned long)(before - after) : 0;
}

/* Returns how many were freed; *scanned: how many were looked at. */
static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc, unsigned long total,
			  unsigned long freeable, unsigned long *scanned)
{
	unsigned long batch = shrinker->batch > 0 ? (unsigned long)shrinker->batch : SHRINK_BATCH;
	unsigned long freed = 0, ret;

	/* Less than a batch is put off, unless it is all there is. */
	while (total && (total >= batch || total >= freeable)) {
		sc->nr_to_scan = min(batch, total);
		sc->nr_scanned = sc->nr_to_scan;
		ret = scan_objects(shrinker, sc);
		if (ret == SHRINK_STOP)
			break;
		freed += ret;
		*scanned += sc->nr_scanned;
		total -= min(total, max(sc->nr_scanned, 1ul));
	}
	return freed;
}

static unsigned long shrink_one(struct shrinker *shrinker, gfp_t gfp, int priority)
{
	struct shrink_control sc = { .gfp_mask = gfp };
	unsigned long freeable = count_objects(shrinker, &sc), nr, delta, freed, scanned = 0;

	if (!freeable || freeable == SHRINK_EMPTY || freeable == SHRINK_STOP)
		return 0;
	nr = __atomic_exchange_n(&shrinker->km_deferred, 0, __ATOMIC_RELAXED);
	delta = delta_of(shrinker, freeable, priority);
	freed = scan(shrinker, &sc, min((nr >> priority) + delta, 2 * freeable), freeable,
		     &scanned);
	if (nr + delta > scanned)
		__atomic_add_fetch(&shrinker->km_deferred,
				   min(nr + delta - scanned, 2 * freeable), __ATOMIC_RELAXED);
	return freed;
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
	while (node != &shrinkers && shrinker_of(node)->km_leaving)
		node = node->next;
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
