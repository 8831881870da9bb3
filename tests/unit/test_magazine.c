/* SPDX-License-Identifier: MIT */
/*
 * Magazines, depots and threads: what goes in comes out once, capacities adapt, surplus goes back,
 * and threads that end or idle leave nothing behind.
 */
#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <semaphore.h>

#include "kmalloc/heap.h"
#include "lib/bug.h"
#include "magazine/exchange.h"
#include "mm/reclaim.h"
#include "mm/zone.h"

static struct kmem_cache cache;

static void setup(void)
{
	heap_init();
	corruption_is_fatal = false;
	reclaim_init(3600000);		/* no epoch ends by itself */
	cr_assert(cache_init(&cache, "tested", 128, 16, 0));
	cache.max_rounds = 20;
	cache.depot.max_full = 3;
}

TestSuite(magazine, .init = setup, .timeout = 120);

/* Filled with objects of the cache. */
static struct magazine *filled(unsigned rounds)
{
	struct magazine *mag = magazine_new(&cache);
	void *object;

	cr_assert(mag != NULL);
	magazine_set_capacity(mag, 20);
	for (unsigned i = 0; i < rounds; i++) {
		cr_assert(slab_alloc(&cache, &object, 1) == 1);
		magazine_bottom(mag)[i] = object;
	}
	magazine_set_rounds(mag, rounds);
	return mag;
}

static size_t in_use(const struct kmem_cache *s)
{
	return (size_t)s->nr_slabs * s->objects - s->nr_free;
}

Test(magazine, empty_and_full_are_one_test_each)
{
	struct magazine *mag = magazine_new(&cache);
	void **top, *object = &object;

	memset(mag->slot, 0xff, sizeof(mag->slot));
	for (unsigned capacity = 1; capacity <= MAX_ROUNDS; capacity++) {
		magazine_set_capacity(mag, capacity);
		top = magazine_bottom(mag);
		cr_assert(magazine_pop(&top) == NULL);
		for (unsigned i = 0; i < capacity; i++) {
			cr_assert(magazine_of_top(top) == mag || i == 0);
			cr_assert(magazine_push(&top, (char *)object + 16 * i, 0));
		}
		cr_assert(!magazine_push(&top, object, 0));
		cr_assert((uintptr_t)top % MAGAZINE_SIZE == 0 && magazine_of_top(top) == mag);
		for (unsigned i = capacity; i-- > 0; )
			cr_assert(magazine_pop(&top) == (char *)object + 16 * i);
		cr_assert(magazine_pop(&top) == NULL);
	}
}

Test(magazine, sentinel_is_empty_and_full)
{
	struct thread_class tc = { .handed = 0 };
	void **top = NO_TOP;

	cr_assert(magazine_pop(&top) == NULL);
	cr_assert(!magazine_push(&top, &top, 0));
	cr_assert(top == NO_TOP && magazine_unload(&top, &tc) == NULL);
}

/* A signal handler that allocates now must not find the rounds that are counted already. */
Test(magazine, what_is_unloaded_is_no_longer_loaded)
{
	struct magazine *mag = filled(3);
	struct thread_class tc = { .handed = 0 };
	void **top = magazine_bottom(mag) + 3;

	cr_assert(magazine_unload(&top, &tc) == mag && magazine_rounds(mag) == 3);
	cr_assert(top == NO_TOP && magazine_pop(&top) == NULL);
}

/* What is taken and put back while a magazine is loaded leaves no trace in its top. */
Test(magazine, unloading_tells_what_was_taken)
{
	struct magazine *mag = filled(5);
	struct thread_class tc = { .handed = 0 };
	void **top = magazine_bottom(mag) + 5, *object;

	for (unsigned i = 0; i < 3; i++)
		cr_assert(magazine_pop(&top) != NULL);
	cr_assert(magazine_unload(&top, &tc) == mag && tc.handed == 3 * sizeof(void *));
	top = magazine_bottom(mag) + 2;
	object = magazine_pop(&top);
	cr_assert(object && magazine_push(&top, object, 0));
	cr_assert(magazine_unload(&top, &tc) == mag && tc.handed == 3 * sizeof(void *));
	top = magazine_bottom(mag) + 2;
	cr_assert(magazine_push(&top, &object, 0));
	cr_assert(magazine_unload(&top, &tc) == mag && tc.handed == 3 * sizeof(void *));
}

Test(magazine, the_object_freed_last_is_not_pushed_again)
{
	struct magazine *mag = filled(2);
	void **top = magazine_bottom(mag) + 2, *last = top[-1];

	cr_assert(!magazine_push(&top, last, 0));
	cr_assert(magazine_push(&top, top[-2], 0));
}

Test(magazine, depot_exchanges_whole_magazines)
{
	struct magazine *a = filled(20), *b = filled(5), *empty = filled(0);

	cr_assert(depot_get_full(&cache, NULL) == NULL);
	cr_assert(depot_put_full(&cache, a) == NULL);
	cr_assert(depot_put_full(&cache, b) == NULL);
	cr_assert(cache.depot.nr_full == 2 && cache.depot.nr_empty == 0);
	/* Hottest first. */
	cr_assert(depot_get_full(&cache, empty) == b);
	cr_assert(cache.depot.nr_full == 1 && cache.depot.nr_empty == 1);
	cr_assert(depot_put_full(&cache, b) == empty);
	cr_assert(depot_get_full(&cache, NULL) == b && depot_get_full(&cache, NULL) == a);
	cr_assert(in_use(&cache) == 25);
}

Test(magazine, a_full_depot_drains_its_coldest)
{
	struct magazine *mags[4];
	struct magazine *empty;

	for (int i = 0; i < 4; i++)
		mags[i] = filled(20);
	for (int i = 0; i < 3; i++)
		cr_assert(depot_put_full(&cache, mags[i]) == NULL);
	cr_assert(in_use(&cache) == 80);
	empty = depot_put_full(&cache, mags[3]);
	cr_assert(empty == mags[0] && magazine_is_empty(empty));
	cr_assert(in_use(&cache) == 60 && cache.depot.nr_full == 3);
	cr_assert(slab_check(&cache) == 0);
}

Test(magazine, depot_keeps_few_empty_ones)
{
	for (int i = 0; i < 100; i++)
		depot_put(&cache, filled(0));
	cr_assert(cache.depot.nr_empty > 0 && cache.depot.nr_empty <= 16);
}

Test(magazine, trim_drains_what_nobody_needed)
{
	struct magazine *mag;

	for (int i = 0; i < 3; i++)
		depot_put(&cache, filled(20));
	depot_trim(&cache, false);		/* the interval in which they came */
	cr_assert(cache.depot.nr_full == 3);
	mag = depot_get_full(&cache, NULL);	/* at least one is needed */
	depot_put(&cache, mag);
	depot_trim(&cache, false);
	cr_assert(cache.depot.nr_full == 1 && in_use(&cache) == 20);
	depot_trim(&cache, false);
	cr_assert(cache.depot.nr_full == 0 && in_use(&cache) == 0);
	cr_assert(slab_check(&cache) == 0);
}

Test(magazine, trim_of_all_leaves_nothing)
{
	for (int i = 0; i < 3; i++)
		depot_put(&cache, filled(20));
	for (int i = 0; i < 5; i++)
		depot_put(&cache, filled(0));
	depot_trim(&cache, true);
	cr_assert(cache.depot.nr_full == 0 && cache.depot.nr_empty == 0);
	cr_assert(in_use(&cache) == 0);
}

/* Neither a magazine nor its objects are kept from other threads for the sake of a few. */
static void *use_a_few(void *arg)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(320)];
	void *objs[EARLY_OBJECTS / 2], ***top = &thread_tls.top[size_class(320)];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(objs); i++)
		objs[i] = heap_alloc(320);
	cr_assert(s->nr_free == s->objects - i);
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		heap_free(objs[i]);
	cr_assert(*top == NO_TOP && s->nr_free == s->objects);
	heap_free(heap_alloc(320));
	cr_assert(*top != NO_TOP);
	return arg;
}

Test(magazine, few_objects_come_and_go_without)
{
	heap_free(heap_alloc(1));
	run_threads(1, use_a_few, NULL);
}

enum { COUNT = 3000 };

Test(magazine, capacity_grows_with_use)
{
	static void *objs[COUNT];
	unsigned class = size_class(64), last = 0;
	struct thread_class *tc;

	for (int i = 0; i < COUNT; i++) {
		objs[i] = heap_alloc(64);
		tc = &thread_tls.thread->class[class];
		cr_assert(tc->capacity >= last && tc->capacity <= MAX_ROUNDS);
		if (i == 0)
			cr_assert(tc->capacity == MIN_ROUNDS);
		last = tc->capacity;
	}
	cr_assert(last == kmalloc_caches[class].max_rounds && last == MAX_ROUNDS);
	for (int i = 0; i < COUNT; i++)
		heap_free(objs[i]);
	/* Large objects: a thread must not sit on many of them. */
	for (int i = 0; i < 50; i++)
		objs[i] = heap_alloc(32768);
	cr_assert(thread_tls.thread->class[size_class(32768)].capacity == 2);
}

static void expect_nothing_in_use(void)
{
	heap_trim();
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES && kmalloc_caches[c].size; c++) {
		struct kmem_cache *s = &kmalloc_caches[c];

		cr_assert(slab_check(s) == 0, "%s", s->name);
		cr_assert(s->nr_slabs == 0, "%s: %u slabs, %zu objects", s->name, s->nr_slabs,
			  in_use(s));
	}
	cr_assert(zone_check() == 0);
}

static void *churn(void *arg)
{
	enum { HELD = 500 };
	void **held[HELD] = { NULL };

	random_seed ^= (uintptr_t)held * 3;
	for (int i = 0; i < 50000; i++) {
		size_t k = random_below(HELD);

		if (held[k]) {
			cr_assert(*held[k] == &held[k]);
			heap_free(held[k]);
			held[k] = NULL;
		} else {
			held[k] = heap_alloc(8 + random_size(12));
			*held[k] = &held[k];
		}
	}
	for (size_t k = 0; k < HELD; k++)
		heap_free(held[k]);
	return arg;
}

Test(magazine, threads_that_end_give_everything_back)
{
	struct thread_count count[NR_KMALLOC_CLASSES + 1];

	run_threads(4, churn, NULL);
	/* This thread has not allocated, so there is no other left. */
	cr_assert(nr_threads == 0);
	thread_count_classes(count);
	for (unsigned c = 1; c <= NR_KMALLOC_CLASSES; c++)
		cr_assert(count[c].rounds == 0);
	expect_nothing_in_use();
}

static _Atomic bool churned;

static void *look_for_idle(void *arg)
{
	while (!churned) {
		cr_assert(gate_enter());
		thread_steal_idle(false);
		gate_leave();
	}
	return arg;
}

Test(magazine, looking_for_idle_magazines_loses_none)
{
	pthread_t thief;

	cr_assert(pthread_create(&thief, NULL, look_for_idle, NULL) == 0);
	for (int i = 0; i < 20; i++)
		run_threads(2, churn, NULL);
	churned = true;
	pthread_join(thief, NULL);
	expect_nothing_in_use();
}

static _Atomic bool no_memory_for_keys;

/* In place of the C library's, which needs memory for keys of high numbers. */
int pthread_setspecific(pthread_key_t of, const void *value)
{
	static int (*real)(pthread_key_t, const void *);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_setspecific");
	return no_memory_for_keys ? ENOMEM : real(of, value);
}

static void *stay_unlisted(void *arg)
{
	void *object = heap_alloc(100);

	cr_assert(object != NULL && thread_tls.thread == NULL && nr_threads == 0);
	cr_assert(thread_tls.state == THREAD_NEW);
	heap_free(object);
	no_memory_for_keys = false;
	heap_free(heap_alloc(100));
	cr_assert(thread_tls.thread != NULL && nr_threads == 1);
	return arg;
}

Test(magazine, a_thread_whose_end_would_go_unnoticed_is_not_listed)
{
	no_memory_for_keys = true;
	run_threads(1, stay_unlisted, NULL);
	cr_assert(nr_threads == 0 && gate_unlisted == 0);
	expect_nothing_in_use();
}

static void without_keys(void *arg)
{
	pthread_key_t taken;

	(void)arg;
	while (!pthread_key_create(&taken, NULL))
		;
	heap_init();
	run_threads(2, churn, NULL);
	if (nr_threads || gate_unlisted)
		_exit(1);
	expect_nothing_in_use();
}

/* Outside the suite: heap_init must come after the keys are gone. */
Test(magazine_late, works_where_no_key_is_left, .timeout = 60)
{
	cr_assert(in_child(without_keys, NULL) == 0);
}

static void *alloc_a_few(void *arg)
{
	for (size_t size = 16; size < 2000; size += 100)
		heap_free(heap_alloc(size));
	return arg;
}

Test(magazine, short_threads_do_not_add_up)
{
	size_t used;

	for (int i = 0; i < 100; i++)
		run_threads(1, alloc_a_few, NULL);
	used = zone.managed - zone.nr_free;
	for (int i = 0; i < 2000; i++)
		run_threads(1, alloc_a_few, NULL);
	cr_assert(zone.managed - zone.nr_free <= used, "%zu pages, %zu before",
		  zone.managed - zone.nr_free, used);
}

static void *free_all(void *arg)
{
	void **objs = arg;

	for (int i = 0; i < COUNT; i++)
		heap_free(objs[i]);
	return NULL;
}

static void *alloc_all(void *arg)
{
	void **objs = arg;

	for (int i = 0; i < COUNT; i++)
		objs[i] = heap_alloc(96);
	return NULL;
}

Test(magazine, any_thread_may_free)
{
	static void *objs[COUNT];

	for (int round = 0; round < 20; round++) {
		run_threads(1, alloc_all, objs);
		run_threads(1, free_all, objs);
	}
	cr_assert(kmalloc_caches[size_class(96)].nr_slabs <= 2 * COUNT * 96 / 16384 + 20);
	expect_nothing_in_use();
}

static pthread_key_t key;

static void free_late(void *object)
{
	cr_assert(thread_tls.state == THREAD_LIVE);
	heap_free(object);
	heap_free(heap_alloc(200));
}

static void *leave_to_a_destructor(void *arg)
{
	pthread_setspecific(key, heap_alloc(64));
	return arg;
}

Test(magazine, destructors_of_threads_may_allocate)
{
	cr_assert(pthread_key_create(&key, free_late) == 0);
	for (int i = 0; i < 50; i++)
		run_threads(4, leave_to_a_destructor, NULL);
	cr_assert(nr_threads == 0);
	expect_nothing_in_use();
}

static sem_t idle, wake;

static void *be_idle(void *arg)
{
	void **objs = arg;

	alloc_all(objs);
	free_all(objs);
	sem_post(&idle);
	sem_wait(&wake);
	alloc_all(objs);
	free_all(objs);
	return NULL;
}

static size_t rounds_of(unsigned class)
{
	struct thread_count count[NR_KMALLOC_CLASSES + 1];

	thread_count_classes(count);
	return count[class].rounds;
}

static void epoch(void)
{
	cr_assert(gate_enter());
	trim_epoch();
	gate_leave();
}

Test(magazine, idle_threads_lose_their_previous_magazine)
{
	static void *objs[COUNT];
	pthread_t thread;
	unsigned class = size_class(96);
	size_t before;

	sem_init(&idle, 0, 0);
	sem_init(&wake, 0, 0);
	cr_assert(pthread_create(&thread, NULL, be_idle, objs) == 0);
	sem_wait(&idle);
	before = rounds_of(class);
	cr_assert(before > kmalloc_caches[class].max_rounds);
	epoch();
	cr_assert(rounds_of(class) == before, "it was in use a moment ago");
	epoch();
	epoch();
	cr_assert(rounds_of(class) <= kmalloc_caches[class].max_rounds);
	epoch();
	epoch();
	cr_assert(kmalloc_caches[class].depot.nr_full == 0);
	sem_post(&wake);
	pthread_join(thread, NULL);
	expect_nothing_in_use();
}

Test(magazine, double_frees_are_found_at_once_or_when_drained)
{
	struct captured c;
	char text[256];
	void *a = heap_alloc(64), *b = heap_alloc(64);

	snprintf(text, sizeof(text), "libkmalloc: double free of %p (cache kmalloc-64, size 64)\n", a);
	heap_free(a);
	capture_begin(&c);
	heap_free(a);
	cr_assert_str_eq(capture_end(&c), text);
	heap_free(b);
	heap_free(a);
	capture_begin(&c);
	heap_trim();
	cr_assert_str_eq(capture_end(&c), text);
	expect_nothing_in_use();
}

/*
 * Caches that are not kmalloc's.
 */

static void *cache_churn(void *arg)
{
	enum { HELD = 300 };
	void **held[HELD] = { NULL };

	random_seed ^= (uintptr_t)held * 3;
	for (int i = 0; i < 30000; i++) {
		size_t k = random_below(HELD);

		cr_assert(gate_enter());
		if (held[k]) {
			cr_assert(*held[k] == &held[k]);
			thread_cache_free(&cache, held[k]);
			held[k] = NULL;
		} else {
			held[k] = thread_cache_alloc(&cache);
			*held[k] = &held[k];
		}
		gate_leave();
	}
	for (size_t k = 0; k < HELD; k++)
		heap_free(held[k]);
	return arg;
}

/* Pages in use that are no slabs: here, the tables of threads that use other caches. */
static size_t pages_in_runs(void)
{
	size_t sum = 0;

	for (uintptr_t addr = regions[0].heap; addr < regions[0].usable; addr += PAGE_SIZE) {
		struct page *page = virt_to_page((void *)addr);

		sum += page->type == PAGE_RUN ? page->nr_pages : 0;
	}
	return sum;
}

Test(magazine, other_caches_have_magazines_too)
{
	run_threads(4, cache_churn, NULL);
	cr_assert(pages_in_runs() == 0);
	cache_churn(NULL);
	cr_assert(thread_count_cache(&cache).rounds > 0);
	cr_assert(gate_enter());
	thread_forget_cache(&cache);
	cr_assert(thread_count_cache(&cache).rounds == 0);
	depot_trim(&cache, true);
	slab_shrink(&cache);
	gate_leave();
	cr_assert(slab_check(&cache) == 0);
	cr_assert(cache.nr_slabs == 0);
	cache_fini(&cache);
}

Test(magazine, a_thread_may_use_many_caches)
{
	enum { CACHES = 1000 };
	static struct kmem_cache many[CACHES];
	static void *objs[CACHES];

	for (int i = 0; i < CACHES; i++) {
		cr_assert(cache_init(&many[i], "many", 64, 16, 0));
		many[i].max_rounds = 7;
		many[i].depot.max_full = 2;
		cr_assert(gate_enter());
		cr_assert((objs[i] = thread_cache_alloc(&many[i])) != NULL);
		gate_leave();
	}
	for (int i = 0; i < CACHES; i++)
		heap_free(objs[i]);
	heap_trim();
	for (int i = 0; i < CACHES; i++)
		cr_assert(many[i].nr_slabs == 0 && slab_check(&many[i]) == 0, "cache %d", i);
	cr_assert(pages_in_runs() <= 2 * pages_of(CACHES * sizeof(struct thread_slot)));
}
