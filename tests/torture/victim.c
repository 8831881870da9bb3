/* SPDX-License-Identifier: MIT */
/*
 * The program whose system calls fail; inject runs it, and decides which ones.
 *
 * A round is a fixed sequence of everything that the library offers: malloc and its relatives,
 * realloc from small to large and back, kmem_cache, mempool, vmalloc, pages, trimming, threads that
 * come and go. Each block is stamped, zeroed memory is looked at, NULL is accepted with ENOMEM only
 * and only while failures may come. After a round everything is free again, and a round without
 * failures must get all that it asks for.
 *
 *   once | threads                  one round under whatever was armed before exec, then two strict
 *   again | again-threads SEED BITS one round for each n, armed from here; memory must not drift
 *   nothing                         shows that the filter works
 */
#include <linux/mempool.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../stress/stress.h"

#include <kmalloc/kmalloc.h>

#include "inject.h"

#define SMALL	120
#define LARGE	3
#define OBJECTS	200

#define GFP_QUIET	(GFP_KERNEL | __GFP_NOWARN)

static bool strict;		/* nothing fails: whatever is asked for must be given */
static atomic_ullong refused;

/* NULL counts and is told with the right errno, or it is an error. */
static bool given(const void *p, size_t size)
{
	if (p)
		return true;
	MUST(!strict, "no memory for %zu bytes after the failures", size);
	atomic_fetch_add(&refused, 1);
	return false;
}

static bool given_errno(const void *p, size_t size)
{
	int err = errno;

	if (!given(p, size))
		MUST(err == ENOMEM, "NULL with errno %d for %zu bytes", err, size);
	return p != NULL;
}

/* -- malloc and its relatives -- */

struct block {
	unsigned char *p;
	size_t size;
	uint64_t key;
};

static void block_verify(const struct block *b)
{
	MUST(stamp_holds(b->p, b->size, b->key), "block of %zu bytes is damaged", b->size);
}

static void block_drop(struct block *b)
{
	if (!b->p)
		return;
	block_verify(b);
	errno = 4711;
	free(b->p);
	MUST(errno == 4711, "free set errno to %d", errno);
	b->p = NULL;
}

static bool all_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static void *take_somehow(struct rng *r, size_t size)
{
	void *p = NULL;

	switch (rng_below(r, 6)) {
	case 0:
		p = calloc(1, size);
		MUST(!p || all_zero(p, size), "calloc(%zu) is not zero", size);
		return p;
	case 1:
		p = aligned_alloc((size_t)64 << rng_below(r, 8), size);
		return p;
	case 2:
		errno = posix_memalign(&p, (size_t)16 << rng_below(r, 12), size);
		return p;
	default:
		return malloc(size);
	}
}

static void block_take(struct rng *r, struct block *b, size_t size)
{
	errno = 0;
	b->p = take_somehow(r, size);
	b->size = size;
	b->key = rng_next(r);
	if (given_errno(b->p, size))
		stamp(b->p, size, b->key);
}

static void block_resize(struct rng *r, struct block *b, size_t size)
{
	size_t keep = size < b->size ? size : b->size;

	errno = 0;
	unsigned char *p = realloc(b->p, size);

	if (!given_errno(p, size)) {
		block_verify(b);
		return;
	}
	MUST(stamp_prefix_holds(p, keep, b->size, b->key), "realloc lost contents");
	b->p = p;
	b->size = size;
	b->key = rng_next(r);
	stamp(p, size, b->key);
}

static void block_step(struct rng *r, struct block *b, size_t max)
{
	size_t size = 1 + rng_size(r, max);

	if (!b->p)
		block_take(r, b, size);
	else if (rng_below(r, 3) == 0)
		block_resize(r, b, size);
	else
		block_drop(b);
}

static void play_malloc(struct rng *r)
{
	struct block small[SMALL] = { 0 }, large[LARGE] = { 0 };

	for (int i = 0; i < 800; i++) {
		block_step(r, &small[rng_below(r, SMALL)], i % 8 ? 3000 : 200 * KIB);
		if (i % 40 == 0)
			block_step(r, &large[rng_below(r, LARGE)], 5 * MIB);
		if (i % 400 == 399)
			malloc_trim(0);
	}
	for (size_t i = 0; i < SMALL; i++)
		block_drop(&small[i]);
	for (size_t i = 0; i < LARGE; i++)
		block_drop(&large[i]);
}

/* A buffer that doubles until it has a mapping of its own and moves; then shrinks. */
static void play_growth(struct rng *r)
{
	struct block b = { 0 };
	size_t size;

	block_take(r, &b, 100);
	for (size = 200; b.p && size < 10 * MIB; size *= 2)
		block_resize(r, &b, size);
	for (; b.p && size > 1000; size /= 4)
		block_resize(r, &b, size);
	block_drop(&b);
}

/* Many of one size, until there is no more: the heap grows; half of them go, then the rest. */
static void play_crowd(struct rng *r)
{
	static const size_t sizes[] = { 32, 400, 5000, 70000 };
	size_t size = sizes[rng_below(r, ARRAY_SIZE(sizes))], n = 2 * MIB / size;
	struct block *b = calloc(n, sizeof(*b));

	if (!given(b, n * sizeof(*b)))
		return;
	for (size_t i = 0; i < n && (i < 8 || b[i - 8].p); i++)
		block_take(r, &b[i], size);
	for (size_t i = 0; i < n; i += 2)
		block_drop(&b[i]);
	for (size_t i = 0; i < n; i++)
		block_drop(&b[i]);
	free(b);
}

/* -- The kernel's interface -- */

static void constructor(void *object)
{
	memset(object, 0x5c, 200);
}

static void play_cache(const char *name)
{
	struct kmem_cache *s = kmem_cache_create(name, 200, 64, 0, constructor);
	unsigned char *object[OBJECTS];

	if (!given(s, 200))
		return;
	for (int i = 0; i < OBJECTS; i++) {
		object[i] = kmem_cache_alloc(s, GFP_QUIET);
		if (given(object[i], 200))
			MUST(object[i][0] == 0x5c && object[i][199] == 0x5c, "not constructed");
	}
	for (int i = 0; i < OBJECTS; i++)
		if (object[i])
			kmem_cache_free(s, object[i]);
	kmem_cache_destroy(s);
}

static void play_pool(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(8, 300);
	void *element[20];

	if (!given(pool, 300))
		return;
	/* What must not wait may be refused when the reserve is empty; eight are promised. */
	for (int i = 0; i < 20; i++) {
		element[i] = mempool_alloc(pool, GFP_NOWAIT | __GFP_NOWARN);
		MUST(element[i] || i >= 8, "the reserve gave only %d of 8", i);
		if (element[i])
			memset(element[i], i, 300);
	}
	for (int i = 0; i < 20; i++)
		if (element[i])
			mempool_free(element[i], pool);
	mempool_destroy(pool);
}

static void play_pages(struct rng *r)
{
	size_t size = 1 + rng_size(r, MIB);
	void *area = __vmalloc(size, GFP_QUIET | __GFP_ZERO), *pages = alloc_pages_exact(size, GFP_QUIET);
	void *either = kvmalloc(size, GFP_QUIET);

	if (given(area, size)) {
		MUST(all_zero(area, size), "vzalloc(%zu) is not zero", size);
		stamp(area, size, 1);
	}
	if (given(pages, size))
		stamp(pages, size, 2);
	if (given(either, size))
		stamp(either, size, 3);
	MUST((!area || stamp_holds(area, size, 1)) && (!pages || stamp_holds(pages, size, 2)) &&
	     (!either || stamp_holds(either, size, 3)), "pages of %zu bytes are damaged", size);
	vfree(area);
	if (pages)
		free_pages_exact(pages, size);
	kvfree(either);
}

/* -- Rounds -- */

static void play_all(uint64_t seed)
{
	const char name[] = { 't', 'o', 'r', 't', 'u', 'r', 'e', (char)('0' + seed), '\0' };
	struct rng r = rng_new(seed);

	play_malloc(&r);
	play_growth(&r);
	play_crowd(&r);
	play_cache(name);
	play_pool();
	play_pages(&r);
}

static void *player(void *arg)
{
	play_all((uintptr_t)arg);
	return NULL;
}

static void handler(int sig)
{
	(void)sig;
}

static void play_signals(void)
{
	struct sigaction sa = { .sa_handler = handler };
	int rc = sigaction(SIGUSR2, &sa, NULL);

	MUST(rc == 0 || (!strict && errno == EINVAL), "sigaction: %s", strerror(errno));
}

#define THREADS	3

static void play_threads(void)
{
	pthread_attr_t attr;
	pthread_t t[THREADS];
	int n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * KIB);
	for (int i = 0; i < THREADS; i++) {
		int rc = pthread_create(&t[n], &attr, player, (void *)(uintptr_t)(i + 1));

		MUST(rc == 0 || (!strict && (rc == EAGAIN || rc == ENOMEM)), "pthread_create: %d", rc);
		n += rc == 0;
	}
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static void play_round(bool threads)
{
	play_signals();
	if (threads)
		play_threads();
	else
		play_all(1);
	malloc_trim(0);
}

static void play_strict(bool threads)
{
	strict = true;
	play_round(threads);
	strict = false;
}

/* -- What is left -- */

struct usage {
	uint64_t objects, pages, areas;
	size_t resident;		/* bytes */
	size_t data;			/* writable, but for the heap's free pages */
};

/* Writable private memory, whether touched or not: reservations do not count. */
static size_t data_bytes(void)
{
	char text[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	const char *line;

	MUST(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0, "no /proc/self/status");
	close(fd);
	line = strstr(text, "VmData:");
	return line ? strtoul(line + 7, NULL, 10) * KIB : 0;
}

static struct usage usage_now(void)
{
	struct kmalloc_stats stats;

	malloc_trim(0);
	kmalloc_stats_get(&stats, sizeof(stats));
	return (struct usage){ stats.live_objects, stats.page_bytes, stats.vmalloc_areas,
			       resident(),
			       data_bytes() - stats.free_clean_bytes - stats.free_dirty_bytes };
}

static void must_be_as_before(const struct usage *before, size_t slack)
{
	struct usage u = usage_now();

	MUST(u.objects <= before->objects && u.pages <= before->pages && u.areas <= before->areas,
	     "left: %llu objects (%llu before), %llu bytes of pages (%llu), %llu areas (%llu)",
	     (unsigned long long)u.objects, (unsigned long long)before->objects,
	     (unsigned long long)u.pages, (unsigned long long)before->pages,
	     (unsigned long long)u.areas, (unsigned long long)before->areas);
	MUST(u.resident < before->resident + slack, "resident: %zu KiB, %zu before",
	     u.resident / KIB, before->resident / KIB);
	MUST(u.data < before->data + slack, "writable: %zu KiB, %zu before", u.data / KIB,
	     before->data / KIB);
}

/* -- Modes -- */

/* What failed before main() may have left its mark: only two strict rounds are compared. */
static void once(bool threads)
{
	struct usage before;

	/* From main() on calls of the program and of the C library count, too. */
	inject_control(INJECT_OP_REACHED, 0, 0, 0);
	play_round(threads);
	inject_control(INJECT_OP_DISARM, 0, 0, 0);
	play_strict(threads);
	before = usage_now();
	play_strict(threads);
	must_be_as_before(&before, 8 * MIB);
}

static uint32_t next_n(uint32_t n, struct rng *r, bool full)
{
	if (n < (full ? 100 : 4))
		return n + 1;
	return n + 1 + (uint32_t)rng_below(r, full ? n / 8 : n);
}

static void again(bool threads, uint32_t bits, bool full)
{
	static const uint32_t bursts[] = { 1, 3, 16, UINT32_MAX };
	struct rng r = rng_new(77);
	struct usage before;

	play_strict(threads);
	play_strict(threads);
	before = usage_now();
	for (size_t i = 0; i < ARRAY_SIZE(bursts); i++) {
		long faults = 1;

		for (uint32_t n = 1; faults && n < 3000; n = next_n(n, &r, full)) {
			inject_control(INJECT_OP_ARM, n, bursts[i], bits);
			play_round(threads);
			faults = inject_control(INJECT_OP_DISARM, 0, 0, 0);
		}
		play_strict(threads);
		must_be_as_before(&before, 8 * MIB);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	stress.name = "victim";
	stress.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	if (strcmp(mode, "nothing") == 0)
		return inject_control(INJECT_OP_REACHED, 0, 0, 0) < 0;
	if (strcmp(mode, "once") == 0 || strcmp(mode, "threads") == 0)
		once(mode[0] == 't');
	else if (argc == 5)
		again(mode[5] == '-', (uint32_t)strtoul(argv[3], NULL, 0), argv[4][0] == 'f');
	else
		return 2;
	return 0;
}
