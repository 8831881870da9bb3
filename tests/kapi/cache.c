/* SPDX-License-Identifier: MIT */
/*
 * kmem_cache.
 */
#include "kapi.h"

#include <signal.h>

TestSuite(cache, .timeout = 120);
TestSuite(debug, .timeout = 120);
TestSuite(statistics, .timeout = 120);

static _Atomic int constructed;

static void construct(void *object)
{
	constructed++;
	memset(object, 0xc0, 48);
}

Test(cache, constructor_runs_once_an_object)
{
	struct kmem_cache *s = kmem_cache_create("built", 48, 0, 0, construct);
	void *p = kmem_cache_alloc(s, GFP_KERNEL), *q;
	int before = constructed;

	cr_assert(before > 0 && all_bytes(p, 0xc0, 48));
	kmem_cache_free(s, p);
	q = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert_eq(constructed, before, "the state survives free");
	cr_assert(all_bytes(q, 0xc0, 48));
	kmem_cache_free(s, q);
	kmem_cache_destroy(s);
}

Test(cache, arguments)
{
	struct kmem_cache_args args = { .align = 256, .ctor = construct };
	struct kmem_cache *s = kmem_cache_create("with args", 48, &args, SLAB_NO_MERGE);
	struct kmem_cache *t = kmem_cache_create("defaults", 48, NULL, SLAB_NO_MERGE);
	void *p = kmem_cache_alloc(s, GFP_KERNEL);

	cr_assert(is_aligned(p, 256));
	cr_assert_eq(kmem_cache_size(s), 48);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
	cr_assert_null(kmem_cache_create("huge", KMALLOC_MAX_SIZE + 1, 0, 0, NULL));
	cr_assert_null(kmem_cache_create(NULL, 10, 0, 0, NULL));
	kmem_cache_destroy(NULL);
}

Test(cache, arguments_that_cannot_be)
{
	struct kmem_cache_args args = { .use_freeptr_offset = true, .freeptr_offset = 8 };
	struct kmem_cache_args window = { .useroffset = 90, .usersize = 20 };
	struct kmem_cache *s;

	cr_assert_null(kmem_cache_create("freeptr", 48, &args, 0), "only under RCU");
	s = kmem_cache_create("window", 100, &window, 0);
	cr_assert(s, "a window that does not fit is none");
	kmem_cache_destroy(s);
	cr_assert_null(kmem_cache_create("odd", 48, 24, 0, NULL));
	cr_assert_null(kmem_cache_create("nothing", 0, 0, 0, NULL));
}

/* The sheaf of the kernel is a magazine: as many objects change hands without a lock. */
Test(cache, sheaf_capacity)
{
	struct kmem_cache_args args = { .sheaf_capacity = 40 };
	struct kmem_cache *s = kmem_cache_create("wide", 4000, &args, 0);
	struct kmem_cache *t = kmem_cache_create("narrow", 4000, 0, 0, NULL);
	void *p[40];
	int i;

	cr_assert_neq(s, t, "never merged");
	for (i = 0; i < 40; i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
	kmem_cache_free_bulk(s, 40, p);
	kmem_cache_destroy(s);
	kmem_cache_destroy(t);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

static struct kmem_cache *doomed;

static void panic_at_creation(void)
{
	dup2(open("/dev/null", O_WRONLY), 2);
	doomed = kmem_cache_create("panic", KMALLOC_MAX_SIZE + 1, 0, SLAB_PANIC, NULL);
	_exit(0);
}

Test(cache, panic)
{
	cr_assert_eq(exit_status(panic_at_creation), -SIGABRT);
}

Test(cache, alignment)
{
	struct kmem_cache *s = kmem_cache_create("lines", 100, 0,
						 SLAB_HWCACHE_ALIGN | SLAB_NO_MERGE, NULL);
	struct kmem_cache *t = kmem_cache_create("small lines", 20, 0,
						 SLAB_HWCACHE_ALIGN | SLAB_NO_MERGE, NULL);
	int i;

	for (i = 0; i < 100; i++) {
		cr_assert(is_aligned(kmem_cache_alloc(s, GFP_KERNEL), 64));
		cr_assert(is_aligned(kmem_cache_alloc(t, GFP_KERNEL), 32));
	}
}

Test(cache, alike_ones_are_merged)
{
	struct kmem_cache *s = kmem_cache_create("one", 200, 0, 0, NULL);
	struct kmem_cache *t = kmem_cache_create("two", 200, 0, 0, NULL);
	struct kmem_cache *u = kmem_cache_create("three", 200, 0, SLAB_NO_MERGE, NULL);
	void *p;

	cr_assert_eq(s, t);
	cr_assert_neq(s, u);
	kmem_cache_destroy(s);
	p = kmem_cache_alloc(t, GFP_KERNEL);
	cr_assert(p, "the other reference keeps it");
	kmem_cache_free(t, p);
	kmem_cache_destroy(t);
	kmem_cache_destroy(u);
}

Test(cache, destroy_with_objects_keeps_them)
{
	struct kmem_cache *s = kmem_cache_create("kept", 200, 0, SLAB_NO_MERGE, NULL);
	char *p = kmem_cache_alloc(s, GFP_KERNEL);

	memset(p, 7, 200);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 2);
	cr_assert(all_bytes(p, 7, 200));
	kmem_cache_free(s, p);
}

Test(cache, foreign_object_is_refused)
{
	struct kmem_cache *s = kmem_cache_create("mine", 200, 0, SLAB_NO_MERGE, NULL);
	struct kmem_cache *t = kmem_cache_create("yours", 300, 0, SLAB_NO_MERGE, NULL);
	void *p = kmem_cache_alloc(t, GFP_KERNEL);

	kmem_cache_free(s, p);
	kmem_cache_free(t, p);
	kmem_cache_destroy(t);
	cr_assert_eq(kmalloc_slab_errors(), 0, "it was not taken from its cache");
}

Test(cache, zalloc)
{
	struct kmem_cache *s = kmem_cache_create("zeroed", 100, 0, SLAB_NO_MERGE, NULL);
	int i;

	for (i = 0; i < 1000; i++) {
		char *p = kmem_cache_zalloc(s, GFP_KERNEL);

		cr_assert(all_bytes(p, 0, 100));
		memset(p, 1, 100);
		kmem_cache_free(s, p);
	}
	kmem_cache_destroy(s);
}

Test(cache, bulk_is_all_or_nothing)
{
	struct kmem_cache *s = kmem_cache_create("bulk", 4000, 0, SLAB_NO_MERGE, NULL);
	static void *p[4000];
	int i;

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, p), 1000);
	for (i = 0; i < 1000; i++)
		memset(p[i], i, 4000);
	kmem_cache_free_bulk(s, 1000, p);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_ZERO, 10, p), 10);
	for (i = 0; i < 10; i++)
		cr_assert(all_bytes(p[i], 0, 4000));
	kmem_cache_free_bulk(NULL, 10, p);
	refuse_memory_beyond(MIB);
	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY, 4000, p), 0);
	kmem_cache_shrink(s);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0, "nothing was left behind");
}

static void *use_shared(void *arg)
{
	void *held[300];
	int round, i;

	for (round = 0; round < 100; round++) {
		for (i = 0; i < 300; i++) {
			held[i] = kmem_cache_alloc(arg, GFP_KERNEL);
			memset(held[i], round, 100);
		}
		for (i = 0; i < 300; i++)
			kmem_cache_free(arg, held[i]);
	}
	return NULL;
}

Test(cache, shared_by_threads)
{
	struct kmem_cache *s = kmem_cache_create("shared", 100, 0, SLAB_NO_MERGE, NULL);

	in_threads(use_shared, s);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

static void *come_and_go(void *arg)
{
	char name[32];
	int i, j;

	for (i = 0; i < 300; i++) {
		struct kmem_cache *s;
		void *p[50];

		snprintf(name, sizeof(name), "brief-%lx-%d", (unsigned long)pthread_self(), i);
		s = kmem_cache_create(name, 64 + (unsigned)i % 100, 0, SLAB_NO_MERGE, NULL);
		for (j = 0; j < 50; j++)
			p[j] = kmem_cache_alloc(s, GFP_KERNEL);
		kmem_cache_free_bulk(s, 50, p);
		kmem_cache_destroy(s);
	}
	return arg;
}

Test(cache, come_and_go_in_threads)
{
	in_threads(come_and_go, NULL);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

Test(cache, thousands)
{
	static struct kmem_cache *s[3000];
	static void *p[3000];
	char name[32];
	int i;

	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "many-%d", i);
		s[i] = kmem_cache_create(name, 100, 0, SLAB_NO_MERGE, NULL);
		cr_assert(s[i]);
		p[i] = kmem_cache_alloc(s[i], GFP_KERNEL);
		cr_assert(p[i]);
	}
	for (i = 0; i < 3000; i++) {
		kmem_cache_free(s[i], p[i]);
		kmem_cache_destroy(s[i]);
	}
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

Test(cache, shrink_gives_all_back)
{
	struct kmem_cache *s = kmem_cache_create("shrunk", 1000, 0, SLAB_NO_MERGE, NULL);
	void *p[1000];

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 1000, p), 1000);
	cr_assert_neq(kmem_cache_shrink(s), 0);
	kmem_cache_free_bulk(s, 1000, p);
	cr_assert_eq(kmem_cache_shrink(s), 0);
	kmem_cache_destroy(s);
}

Test(cache, low_memory)
{
	struct kmem_cache *s = kmem_cache_create("low", 100, 0, SLAB_CACHE_DMA32, NULL);
	int i;

	for (i = 0; i < 5000; i++)
		cr_assert_lt((uintptr_t)kmem_cache_alloc(s, GFP_KERNEL), 1ul << 32);
}

Test(cache, needs_liburcu_to_be_type_safe)
{
	cr_assert_null(kmem_cache_create("safe", 100, 0, SLAB_TYPESAFE_BY_RCU, NULL));
}

Test(debug, finds_and_mends)
{
	struct kmem_cache *s = kmem_cache_create("checked", 64, 0, SLAB_RED_ZONE | SLAB_POISON |
						 SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER, NULL);
	unsigned char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmem_cache_alloc(s, GFP_KERNEL);

	cr_assert_eq(validate_slab_cache(s), 0);
	p[-1] = 1;
	cr_assert_eq(validate_slab_cache(s), 2, "BUG and FIX");
	cr_assert_eq(p[-1], SLUB_RED_ACTIVE);
	cr_assert_eq(validate_slab_cache(s), 0);
	kmem_cache_free(s, q);
	cr_assert(all_bytes(q, POISON_FREE, 63) && q[63] == POISON_END);
	q[10] = 1;
	cr_assert_eq(validate_slab_cache(s), 2);
	cr_assert_eq(q[10], POISON_FREE);
	kmem_cache_free(s, q);
	cr_assert_eq(kmalloc_slab_errors(), 6, "already free; not freed again");
	kmem_cache_free(s, p + 8);
	cr_assert_eq(kmalloc_slab_errors(), 8, "not an object");
	cr_assert(kmem_dump_obj(p));
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 8);
}

static void *use_checked(void *arg)
{
	void *p[20];
	int i, round;

	for (round = 0; round < 200; round++) {
		for (i = 0; i < 20; i++)
			memset(p[i] = kmem_cache_alloc(arg, GFP_KERNEL), round, 64);
		for (i = 0; i < 20; i++)
			kmem_cache_free(arg, p[i]);
	}
	return NULL;
}

Test(debug, threads)
{
	struct kmem_cache *s = kmem_cache_create("checked", 64, 0, SLAB_RED_ZONE | SLAB_POISON |
						 SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER, NULL);

	in_threads(use_checked, s);
	cr_assert_eq(validate_slab_cache(s), 0);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* The row of @name in the text that @version gives; NULL if there is none. */
static char *slabinfo_row(const char *name, int version, char *text, size_t size)
{
	FILE *file = tmpfile();
	size_t len;

	kmalloc_slabinfo(fileno(file), version);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return strstr(text, name);
}

Test(statistics, slabinfo)
{
	static char text[1 << 20];
	struct kmem_cache *s = kmem_cache_create("counted", 100, 0, SLAB_NO_MERGE, NULL);
	unsigned long active = 0, size = 0;
	void *p[10];
	char *row;

	cr_assert_eq(kmem_cache_alloc_bulk(s, GFP_KERNEL, 10, p), 10);
	kmem_cache_free(s, p[9]);
	row = slabinfo_row("\ncounted ", 21, text, sizeof(text));
	cr_assert(!strncmp(text, "slabinfo - version: 2.1\n", 24));
	cr_assert(row && sscanf(row, " counted %lu %*u %lu", &active, &size) == 2);
	cr_assert(active == 9 && size == 104, "%lu of %lu", active, size);
	row = slabinfo_row("\ncounted ", 11, text, sizeof(text));
	cr_assert(!strncmp(text, "slabinfo - version: 1.1\n", 24));
	cr_assert(row && sscanf(row, " counted %lu %*u %lu", &active, &size) == 2);
	cr_assert(active == 9 && size == 104);
}
