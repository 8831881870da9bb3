/* SPDX-License-Identifier: MIT */
/*
 * Statistics: what is allocated and freed appears where it belongs, to the object; sums agree with
 * their parts, also while other threads work; slabinfo is what the kernel's readers expect.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmalloc/heap.h"
#include "mm/zone.h"
#include "observe/stats.h"

static struct kmalloc_stats now(void)
{
	struct kmalloc_stats stats;

	cr_assert(stats_get(&stats));
	return stats;
}

static void setup(void)
{
	heap_free(heap_alloc(1));
}

TestSuite(stats, .init = setup, .timeout = 60);

/* What slabs cannot divide is the only thing that is not named. */
static void expect_consistent(const struct kmalloc_stats *s)
{
	uint64_t objects = s->live_object_bytes + s->cached_thread_bytes + s->cached_depot_bytes +
			   s->free_object_bytes + s->own_bytes;

	cr_expect(s->heap_bytes == s->slab_bytes + s->page_bytes + s->free_dirty_bytes +
		  s->free_clean_bytes);
	cr_expect(objects <= s->slab_bytes && objects >= s->slab_bytes / 8 * 7);
	cr_expect(s->live_bytes == s->live_object_bytes + s->page_bytes + s->vmalloc_bytes);
	cr_expect(s->mapped_bytes == s->heap_bytes + s->vmalloc_bytes + s->vmalloc_lazy_bytes);
	cr_expect(s->version == KMALLOC_STATS_VERSION);
}

Test(stats, objects_are_counted_one_by_one)
{
	enum { COUNT = 5000 };
	static void *objects[COUNT];
	struct kmalloc_stats before = now(), with, after;

	for (int i = 0; i < COUNT; i++)
		objects[i] = heap_alloc(64);
	with = now();
	cr_expect(with.live_objects == before.live_objects + COUNT);
	cr_expect(with.live_object_bytes == before.live_object_bytes + COUNT * 64);
	expect_consistent(&with);
	for (int i = 0; i < COUNT; i++)
		heap_free(objects[i]);
	after = now();
	cr_expect(after.live_objects == before.live_objects);
	cr_expect(after.live_object_bytes == before.live_object_bytes);
	cr_expect(after.cached_thread_bytes > before.cached_thread_bytes);
	cr_expect(after.cached_depot_bytes > before.cached_depot_bytes);
	expect_consistent(&after);
}

Test(stats, runs_of_pages)
{
	struct kmalloc_stats before = now(), with, after;
	void *run = heap_alloc(25 * PAGE_SIZE * 4 - 5);

	with = now();
	cr_expect(with.page_bytes == before.page_bytes + 100 * PAGE_SIZE);
	cr_expect(with.live_bytes == before.live_bytes + 100 * PAGE_SIZE);
	expect_consistent(&with);
	memset(run, 1, 1000);
	heap_free(run);
	after = now();
	cr_expect(after.page_bytes == before.page_bytes);
	cr_expect(after.free_dirty_bytes == before.free_dirty_bytes + 100 * PAGE_SIZE);
	expect_consistent(&after);
}

/* A block that is being purged is on no list; it is free nevertheless. */
Test(stats, blocks_off_the_lists)
{
	const size_t some = 3;
	struct kmalloc_stats before, during;

	heap_free(heap_alloc(64 * PAGE_SIZE));
	before = now();
	os_mutex_lock(&zone.lock);
	zone.nr_dirty -= some;
	zone.nr_free -= some;
	zone.nr_isolated += some;
	os_mutex_unlock(&zone.lock);
	during = now();
	cr_expect(memcmp(&before, &during, sizeof(before)) == 0);
}

Test(stats, areas)
{
	const size_t size = (size_t)20 << 20;
	struct kmalloc_stats before, with, after;
	void *area;

	/* The first one makes the page of descriptors. */
	heap_free(heap_alloc(size * 2));
	heap_trim();
	before = now();
	area = heap_alloc(size);
	with = now();
	cr_expect(with.vmalloc_areas == before.vmalloc_areas + 1);
	cr_expect(with.vmalloc_bytes == before.vmalloc_bytes + size);
	cr_expect(with.mapped_bytes == before.mapped_bytes + size);
	expect_consistent(&with);
	heap_free(area);
	after = now();
	cr_expect(after.vmalloc_areas == before.vmalloc_areas);
	cr_expect(after.vmalloc_bytes == before.vmalloc_bytes);
	expect_consistent(&after);
}

Test(stats, trimming_returns)
{
	static void *objects[20000];
	struct kmalloc_stats full, trimmed;
	size_t pages;

	for (int i = 0; i < 20000; i++)
		memset(objects[i] = heap_alloc(512), 1, 512);
	for (int i = 0; i < 20000; i++)
		heap_free(objects[i]);
	full = now();
	pages = heap_trim();
	trimmed = now();
	cr_expect(pages > 0);
	cr_expect(trimmed.returned_bytes == full.returned_bytes + pages * PAGE_SIZE);
	cr_expect(trimmed.cached_depot_bytes == 0);
	cr_expect(trimmed.free_dirty_bytes == 0);
	cr_expect(trimmed.free_clean_bytes > full.free_clean_bytes);
	cr_expect(trimmed.slab_bytes < full.slab_bytes);
	expect_consistent(&trimmed);
}

Test(stats, looking_changes_nothing)
{
	struct kmalloc_stats first = now(), second = now();

	cr_expect(memcmp(&first, &second, sizeof(first)) == 0);
}

/* The first objects of one thread of several come and go without a magazine. */
static void *keep_and_exit(void *arg)
{
	pthread_barrier_t *meet = arg;

	for (unsigned i = 0; i < EARLY_OBJECTS; i++)
		heap_free(heap_alloc(4096));
	heap_free(heap_alloc(4096));
	pthread_barrier_wait(meet);
	pthread_barrier_wait(meet);
	return NULL;
}

Test(stats, magazines_of_other_threads)
{
	pthread_barrier_t meet;
	pthread_t other;
	struct kmalloc_stats before, during, after;

	heap_free(heap_alloc(4096));
	before = now();
	pthread_barrier_init(&meet, NULL, 2);
	cr_assert(pthread_create(&other, NULL, keep_and_exit, &meet) == 0);
	pthread_barrier_wait(&meet);
	during = now();
	cr_expect(during.cached_thread_bytes + during.cached_depot_bytes >=
		  before.cached_thread_bytes + before.cached_depot_bytes + 4096);
	cr_expect(during.cached_thread_bytes > before.cached_thread_bytes);
	cr_expect(during.live_objects == before.live_objects);
	pthread_barrier_wait(&meet);
	pthread_join(other, NULL);
	after = now();
	cr_expect(after.cached_thread_bytes == before.cached_thread_bytes);
	cr_expect(after.live_objects == before.live_objects);
	cr_expect(after.own_bytes < during.own_bytes, "the thread itself is still there");
}

static _Atomic bool stop;

static void *churn(void *arg)
{
	uint32_t state = (uint32_t)(uintptr_t)arg;
	void *held[256] = { NULL };

	while (!atomic_load(&stop)) {
		state = state * 1664525 + 1013904223;
		heap_free(held[state >> 24]);
		held[state >> 24] = heap_alloc(1 + (state >> 8 & 0x7fff));
	}
	for (int i = 0; i < 256; i++)
		heap_free(held[i]);
	return NULL;
}

/* Not exact then, but no number wraps around. */
Test(stats, sums_hold_while_others_work)
{
	pthread_t threads[3];

	for (uintptr_t i = 0; i < 3; i++)
		cr_assert(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)) == 0);
	for (int i = 0; i < 2000; i++) {
		struct kmalloc_stats s = now();

		cr_assert(s.live_object_bytes <= s.slab_bytes);
		cr_assert(s.cached_thread_bytes <= s.slab_bytes);
		cr_assert(s.cached_depot_bytes <= s.slab_bytes);
		cr_assert(s.free_object_bytes <= s.slab_bytes);
		cr_assert(s.page_bytes <= s.heap_bytes);
		cr_assert(s.heap_bytes < UINT64_C(1) << 40 && s.mapped_bytes < UINT64_C(1) << 40);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

Test(stats, callers_that_must_not_wait_get_nothing)
{
	struct kmalloc_stats stats;

	cr_assert(gate_enter());
	cr_expect_not(stats_get(&stats));
	cr_expect(stats.version == KMALLOC_STATS_VERSION && stats.heap_bytes == 0);
	gate_leave();
	cr_expect(stats_get(&stats));
}

Test(stats, older_and_newer_programs)
{
	struct {
		struct kmalloc_stats known;
		char unknown[16];
	} newer;
	struct kmalloc_stats all = now(), older;

	memset(&older, 0x5a, sizeof(older));
	cr_expect(kmalloc_stats_get(&older, offsetof(struct kmalloc_stats, page_bytes)) == 0);
	cr_expect(older.version == KMALLOC_STATS_VERSION);
	cr_expect(older.live_objects == all.live_objects);
	cr_expect(older.page_bytes == UINT64_C(0x5a5a5a5a5a5a5a5a), "wrote behind the end");

	memset(&newer, 0x5a, sizeof(newer));
	cr_expect(kmalloc_stats_get(&newer.known, sizeof(newer)) == 0);
	cr_expect(memcmp(&newer.known, &all, sizeof(all)) == 0);
	for (size_t i = 0; i < sizeof(newer.unknown); i++)
		cr_expect(newer.unknown[i] == 0);

	errno = 0;
	cr_expect(kmalloc_stats_get(&older, 7) == -1);
	cr_expect(errno == EINVAL);
}

static char text[1 << 16];

static void collect(void *to, const char *part, size_t len)
{
	size_t *used = to;

	cr_assert(*used + len < sizeof(text));
	memcpy(text + *used, part, len);
	*used += len;
	text[*used] = '\0';
}

static void text_of_slabinfo(bool used_only)
{
	static char buf[128];
	size_t used = 0;
	struct fmt_out out;

	fmt_out_init(&out, buf, sizeof(buf), collect, &used);
	slabinfo_print(&out, used_only);
	fmt_out_flush(&out);
}

struct row {
	char name[64];
	unsigned long active, total, size, per_slab, pages, limit, batch, shared;
	unsigned long active_slabs, slabs, available;
};

static bool parse_row(const char *line, struct row *r)
{
	return sscanf(line,
		      "%63s %lu %lu %lu %lu %lu : tunables %lu %lu %lu : slabdata %lu %lu %lu",
		      r->name, &r->active, &r->total, &r->size, &r->per_slab, &r->pages, &r->limit,
		      &r->batch, &r->shared, &r->active_slabs, &r->slabs, &r->available) == 12;
}

static const char slabinfo_header[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> "
	": tunables <limit> <batchcount> <sharedfactor> "
	": slabdata <active_slabs> <num_slabs> <sharedavail>\n";

Test(stats, slabinfo_is_the_kernels)
{
	struct kmalloc_stats stats;
	uint64_t objects = 0, bytes = 0, caches = 0;
	char *line;

	for (int i = 0; i < 300; i++)
		heap_alloc((size_t)i * 40 + 1);
	stats = now();
	text_of_slabinfo(false);
	cr_assert(strncmp(text, slabinfo_header, strlen(slabinfo_header)) == 0, "%s", text);
	line = strtok(text + strlen(slabinfo_header), "\n");
	for (; line; line = strtok(NULL, "\n")) {
		struct row r;

		cr_assert(parse_row(line, &r), "%s", line);
		cr_expect(r.total == r.slabs * r.per_slab && r.active <= r.total, "%s", line);
		cr_expect(r.active_slabs <= r.slabs, "%s", line);
		cr_expect(r.size * r.per_slab <= r.pages * PAGE_SIZE, "%s", line);
		cr_expect(r.active + r.available <= r.total, "%s", line);
		caches++;
		bytes += r.slabs * r.pages * PAGE_SIZE;
		if (strncmp(r.name, "kmalloc-", 8) == 0)
			objects += r.active;
	}
	cr_expect(objects == stats.live_objects);
	cr_expect(bytes == stats.slab_bytes);
	cr_expect(caches == stats.caches);
}

/* Rounds that a thread seems to hold are too many if objects moved between two looks. */
Test(stats, parts_never_exceed_the_whole)
{
	struct thread_rounds rounds;
	struct cache_stats c;

	memset(&rounds, 0xff, sizeof(rounds));
	cr_assert(cache_stats_get(&kmalloc_caches[1], &rounds, &c));
	cr_expect(c.objects > 0);
	cr_expect(c.live == 0 && c.in_threads + c.in_depot + c.free == c.objects);
	cr_assert(cache_stats_get(&kmalloc_caches[1], NULL, &c));
	cr_expect(c.in_threads == 0 && c.live + c.in_depot + c.free == c.objects);
}

Test(stats, slabs_without_objects_are_not_active)
{
	struct kmem_cache *s = &kmalloc_caches[size_class(1024)];
	struct thread_rounds none = { .of_class = { { 0, 0 } } };
	struct cache_stats c;
	void *object;
	char *line;
	struct row r;

	cr_assert(slab_alloc(s, &object, 1) == 1);
	slab_free(s, &object, 1);
	cr_assert(cache_stats_get(s, &none, &c));
	cr_assert(c.slabs > 0, "the cache keeps no empty slab");
	cr_expect(c.active_slabs == 0);
	text_of_slabinfo(true);
	line = strstr(text, "kmalloc-1k ");
	cr_assert(line && parse_row(line, &r));
	cr_expect(r.active_slabs == 0 && r.slabs == c.slabs);
}

Test(stats, slabinfo_of_used_caches)
{
	void *object = heap_alloc(100);
	struct row r;

	text_of_slabinfo(true);
	for (char *line = strtok(text + strlen(slabinfo_header), "\n"); line;
	     line = strtok(NULL, "\n"))
		cr_expect(parse_row(line, &r) && r.slabs > 0, "%s", line);
	heap_free(object);
}

Test(stats, one_screen)
{
	static const char *const words[] = {
		"libkmalloc ", "live ", "cached in magazines ", "cached in depots ",
		"free pages, dirty ", "mapped ", "returned to the system ",
		"options size_classes:", "slabinfo - version: 2.1\n", "kmalloc-112 ",
	};
	void *object = heap_alloc(112);
	int fds[2], lines = 0;
	ssize_t len;

	cr_assert(pipe(fds) == 0);
	kmalloc_stats_print(fds[1]);
	len = read(fds[0], text, sizeof(text) - 1);
	cr_assert(len > 0);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		cr_expect_not_null(strstr(text, words[i]), "no \"%s\" in:\n%s", words[i], text);
	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	cr_expect(lines <= 24, "%d lines", lines);
	heap_free(object);
}

Test(stats, version_is_text)
{
	cr_expect_str_eq(kmalloc_version(), PACKAGE_VERSION);
}
