/* SPDX-License-Identifier: MIT */
/*
 * Slab debugging: each mistake, what is said of it, and that the program goes on.
 *
 * Compiled with frame pointers, as programs have to be whose stacks are wanted.
 */
#include "report.h"

#include <sys/mman.h>
#include <ucontext.h>

/* The program's own options: the library reads them when it starts. */
extern const char *kmalloc_options;
const char *kmalloc_options =
	"slab_debug:FZPU,kmalloc-*;P,nothing,poison*,stats:0";

#define FULL	(SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)
#define LINE	"=============================================================================\n"
#define DASHES	"-----------------------------------------------------------------------------\n"
#define TRACK	"(Allocated|Freed) in [^ ]+ age=[0-9]+ cpu=[0-9]+ pid=[0-9]+\n( [^ \n]+\n)+"
#define SLAB	"Slab 0x[0-9a-f]+ objects=[0-9]+ used=[0-9]+ fp=0x[0-9a-f]+ flags=0x[0-9a-f]+\n"
#define OBJECT	"Object 0x[0-9a-f]+ @offset=[0-9]+ fp=0x[0-9a-f]+\n\n"
#define DUMP(what) "(" what " *0x[0-9a-f]+: ([0-9a-f]{2} )+[^\n]*\n)+"
#define BODY	"(" TRACK ")*" SLAB OBJECT DUMP("Redzone") DUMP("Object") DUMP("Redzone") \
		DUMP("Padding") "(Call Trace:\n( [^\n]+\n)+)?"

/* What the caches of these tests are like: each mistake is made in each of them. */
struct kind {
	const char *name;
	unsigned size, align;
	slab_flags_t flags;
	void (*ctor)(void *object);
};

static void construct(void *object)
{
	memset(object, 0x3c, 40);
}

static const struct kind kinds[] = {
	{ "plain", 40, 0, 0, NULL },
	{ "odd", 37, 0, 0, NULL },
	{ "built", 40, 0, 0, construct },
	{ "aligned", 40, 256, 0, NULL },
	{ "lines", 100, 0, SLAB_HWCACHE_ALIGN, NULL },
	{ "safe", 40, 0, SLAB_TYPESAFE_BY_RCU, NULL },
	{ "safe_built", 40, 0, SLAB_TYPESAFE_BY_RCU, construct },
	{ "large", 5000, 0, 0, NULL },
};

static struct kmem_cache *cache_of_kind(const struct kind *kind, slab_flags_t flags)
{
	return kmem_cache_create(kind->name, kind->size, kind->align, kind->flags | flags,
				 kind->ctor);
}

static bool is_poisoned(const struct kind *kind)
{
	return !kind->ctor && !(kind->flags & SLAB_TYPESAFE_BY_RCU);
}

static const struct kind *kind;		/* of the loop that runs */
static void *keeper;			/* keeps its slab, which else might go when it is empty */

#define for_each_kind() \
	for (kind = kinds; kind < kinds + sizeof(kinds) / sizeof(kinds[0]); kind++)

/* One cache of the kind, with an object in use; its end finds nothing wrong. */
static struct kmem_cache *begin(unsigned char **object)
{
	struct kmem_cache *s = cache_of_kind(kind, FULL);

	cr_assert(s);
	*object = kmem_cache_alloc(s, GFP_KERNEL);
	keeper = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert(*object && is_aligned(*object, kind->align ? kind->align : 8));
	cr_assert(!kind->ctor || all_bytes(*object, 0x3c, 40));
	begin_report();
	return s;
}

static void end(struct kmem_cache *s, unsigned char *object)
{
	cr_assert_eq(validate_slab_cache(s), 0, "%s: mended", kind->name);
	if (object)
		kmem_cache_free(s, object);
	begin_report();
	kmem_cache_free(s, keeper);
	kmem_cache_destroy(s);
	expect("^$");
}

/* "BUG <cache> (Not tainted): @what" in the middle of a report of the usual form. */
static void expect_bug(const char *what, const char *after)
{
	char pattern[4096];

	snprintf(pattern, sizeof(pattern), "^" LINE "BUG %s \\(Not tainted\\): %s\n" DASHES "\n%s",
		 kind->name, what, after);
	expect(pattern);
}

#define OVERWRITTEN(first, length, byte, wanted) \
	"0x[0-9a-f]+-0x[0-9a-f]+ @offset=[0-9]+. First byte " byte " instead of " wanted "\n"

Test(mistake, left_and_right_of_an_object)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		p[-1] = 0x11;
		cr_assert_eq(validate_slab_cache(s), 2, "%s", kind->name);
		expect_bug("Left Redzone overwritten", OVERWRITTEN(p - 1, 1, "0x11", "0xcc") BODY
			   "FIX [^ ]+: Restoring Left Redzone 0x[0-9a-f]+-0x[0-9a-f]+=0xcc\n$");
		cr_assert_eq(p[-1], SLUB_RED_ACTIVE);
		begin_report();
		p[kind->size] = 0x22;
		kmem_cache_free(s, p);
		expect_bug("Right Redzone overwritten", OVERWRITTEN(p, 1, "0x22", "0xcc") BODY
			   "FIX [^ ]+: Restoring Right Redzone 0x[0-9a-f]+-0x[0-9a-f]+=0xcc\n"
			   "FIX [^ ]+: Object at 0x[0-9a-f]+ not freed\n$");
		cr_assert_eq(p[kind->size], SLUB_RED_ACTIVE);
		end(s, p);
	}
}

Test(mistake, use_after_free)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		kmem_cache_free(s, p);
		if (!is_poisoned(kind)) {
			p[5] = 0x33;
			cr_assert_eq(validate_slab_cache(s), 0, "its contents are its own");
			p[5] = 0x3c;
		} else {
			p[5] = 0x33;
			cr_assert_eq(validate_slab_cache(s), 2, "%s", kind->name);
			expect_bug("Poison overwritten", OVERWRITTEN(p + 5, 1, "0x33", "0x6b") BODY
				   "FIX [^ ]+: Restoring Poison 0x[0-9a-f]+-0x[0-9a-f]+=0x6b\n$");
			begin_report();
			p[kind->size - 1] = 0;
			cr_assert_eq(validate_slab_cache(s), 2, "%s", kind->name);
			expect_bug("End Poison overwritten", "");
		}
		end(s, NULL);
	}
}

/* An object that was written to while it was free is not handed out. */
Test(mistake, noticed_when_allocated)
{
	unsigned char *p, *q;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		kmem_cache_free(s, p);
		p[kind->size] = 0x44;
		q = kmem_cache_alloc(s, GFP_KERNEL);
		cr_assert(q && q != p);
		expect_bug("Right Redzone overwritten", OVERWRITTEN(p, 1, "0x44", "0xbb") BODY
			   "FIX [^ ]+: Restoring Right Redzone [^\n]+\n"
			   "FIX [^ ]+: Object at 0x[0-9a-f]+ not used\n$");
		kmem_cache_free(s, q);
	}
}

Test(mistake, double_free)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		kmem_cache_free(s, p);
		kmem_cache_free(s, p);
		expect_bug("Object already free", BODY
			   "FIX [^ ]+: Object at 0x[0-9a-f]+ not freed\n$");
		begin_report();
		free(p);
		expect_bug("Object already free", "");
		begin_report();
		kfree(p);
		expect_bug("Object already free", "");
		end(s, NULL);
	}
}

Test(mistake, pointer_into_the_middle)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		kmem_cache_free(s, p + 8);
		expect_bug("Invalid object pointer 0x[0-9a-f]+", SLAB "Call Trace:\n( [^\n]+\n)+"
			   "FIX [^ ]+: Object at 0x[0-9a-f]+ not freed\n$");
		begin_report();
		kmem_cache_free(s, p - 8);
		expect_bug("Invalid object pointer 0x[0-9a-f]+", "");
		end(s, p);
	}
}

Test(mistake, wrong_cache)
{
	struct kmem_cache *other = kmem_cache_create("other", 64, 0, SLAB_NO_MERGE, NULL);
	void *alien = kmem_cache_alloc(other, GFP_KERNEL);
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);

		kmem_cache_free(s, alien);
		expect("^libkmalloc: cache_from_obj: Wrong slab cache. [a-z_]+ but object is from "
		       "other\n$");
		begin_report();
		kmem_cache_free(s, malloc(50));
		expect("Wrong slab cache. [a-z_]+ but object is from kmalloc-64\n$");
		begin_report();
		kmem_cache_free(other, alien);
		kmem_cache_free(other, (alien = kmem_cache_alloc(other, GFP_KERNEL)));
		alien = kmem_cache_alloc(other, GFP_KERNEL);
		end(s, p);
	}
}

#define FREE_OF_NULL	"^(libkmalloc: kmem_cache_free of NULL: nothing is freed\n)+$"

static void allocate_four(struct kmem_cache *s, void *p[4])
{
	for (int i = 0; i < 4; i++)
		cr_assert(p[i] = kmem_cache_alloc(s, GFP_KERNEL));
}

/* A magazine that is empty or full does not take NULL: at most one of the four. */
static void free_four_and_null(struct kmem_cache *s, void *p[4])
{
	for (int i = 0; i < 4; i++) {
		kmem_cache_free(s, p[i]);
		kmem_cache_free(s, NULL);
	}
}

/* NULL is no object, but nothing is lost by it: neither memory nor the objects freed before. */
Test(mistake, free_of_null)
{
	struct kmem_cache *s = kmem_cache_create("null", 100, 0, SLAB_NO_MERGE, NULL);
	void *p[4], *again[4];

	/* The first ones come and go without a magazine. */
	for (int i = 0; i < 10; i++) {
		allocate_four(s, p);
		kmem_cache_free_bulk(s, 4, p);
	}
	allocate_four(s, p);
	begin_report();
	free_four_and_null(s, p);
	allocate_four(s, again);
	expect(FREE_OF_NULL);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(again[i], p[3 - i], "the rounds below it are there");
	begin_report();
	free_four_and_null(s, p);
	kmem_cache_destroy(s);
	expect(FREE_OF_NULL);
	cr_assert_eq(kmalloc_slab_errors(), 0, "nothing was left behind");
}

/* Of a cache that is debugged, the objects' own tracks tell where they belong. */
Test(mistake, cross_cache)
{
	struct kmem_cache *s = kmem_cache_create("left", 64, 0, FULL, NULL);
	struct kmem_cache *t = kmem_cache_create("right", 64, 0, FULL, NULL);
	unsigned char *p = kmem_cache_alloc(t, GFP_KERNEL);

	begin_report();
	kmem_cache_free(s, p);
	expect("^libkmalloc: cache_from_obj: Wrong slab cache. left but object is from right\n" TRACK "$");
	kmem_cache_free(t, p);
	kmem_cache_destroy(t);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0, "it was not taken from its cache");
}

/* The word behind the red zone: the free pointer.  Checked when its object, or another, is freed. */
Test(mistake, free_pointer)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);
		unsigned char *q = kmem_cache_alloc(s, GFP_KERNEL);
		unsigned char *r = kmem_cache_alloc(s, GFP_KERNEL);
		size_t place = (kind->size + 8) & ~7ul;

		kmem_cache_free(s, q);
		memset(q + place, 0x77, 8);
		kmem_cache_free(s, p);
		expect_bug("Freechain corrupt", BODY LINE "BUG [^ ]+ \\(Not tainted\\): Wrong object "
			   "count. Counter is [0-9]+ but counted were [0-9]+\n" DASHES "\n" SLAB
			   "Call Trace:\n( [^\n]+\n)+FIX [^ ]+: Object count adjusted\n"
			   "FIX [^ ]+: Free objects chained again\n$");
		begin_report();
		memset(r + place, 0x77, 8);
		kmem_cache_free(s, r);
		expect_bug("Freepointer corrupt", BODY "FIX [^ ]+: Object at 0x[0-9a-f]+ not freed\n$");
		end(s, r);
	}
}

/* Behind the tracks, and behind the last object of a slab. */
Test(mistake, padding)
{
	unsigned char *p;

	for_each_kind() {
		struct kmem_cache *s = begin(&p);
		unsigned char *q = p + kind->size;

		while (*q != POISON_INUSE || q[1] != POISON_INUSE || q[2] != POISON_INUSE)
			q++;
		*q = 0;
		kmem_cache_free(s, p);
		expect_bug("Object padding overwritten", OVERWRITTEN(q, 1, "0x0", "0x5a") BODY
			   "FIX [^ ]+: Restoring Object padding 0x[0-9a-f]+-0x[0-9a-f]+=0x5a\n"
			   "FIX [^ ]+: Object at 0x[0-9a-f]+ not freed\n$");
		end(s, p);
	}
}

Test(mistake, behind_the_last_object)
{
	struct kmem_cache *s = kmem_cache_create("tail", 3000, 0, FULL, NULL);
	unsigned char *p = kmem_cache_alloc(s, GFP_KERNEL);
	unsigned char *last = (unsigned char *)((uintptr_t)p | 0xffff);

	cr_assert_eq(*last, POISON_INUSE);
	begin_report();
	*last = 1;
	kmem_cache_free(s, p);
	expect("^" LINE "BUG tail \\(Not tainted\\): Padding overwritten. 0x[0-9a-f]+ffff-0x[0-9a-f]+ffff "
	       "@offset=65535\n" DASHES "\n" DUMP("Padding") SLAB
	       "FIX tail: Restoring slab padding 0x[0-9a-f]+-0x[0-9a-f]+=0x5a\n$");
	cr_assert_eq(*last, POISON_INUSE);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 2);
}

Test(mistake, objects_left_at_the_end)
{
	struct kmem_cache *s = kmem_cache_create("left", 64, 0, FULL, NULL);

	kmem_cache_alloc(s, GFP_KERNEL);
	begin_report();
	kmem_cache_destroy(s);
	expect("^" LINE "BUG left \\(Not tainted\\): Objects remaining on __kmem_cache_shutdown\\(\\)\n"
	       DASHES "\nObject 0x[0-9a-f]+ @offset=[0-9]+\n" TRACK
	       "WARNING: kmem_cache_destroy left: Slab cache still has objects\n$");
}

Test(mistake, without_red_zones)
{
	struct kmem_cache *s = kmem_cache_create("checked", 60, 0, SLAB_CONSISTENCY_CHECKS, NULL);
	unsigned char *p = kmem_cache_alloc(s, GFP_KERNEL);

	p = kmem_cache_alloc(s, GFP_KERNEL);
	kmem_cache_free(s, p);
	begin_report();
	kmem_cache_free(s, p);
	expect("Object already free\n" DASHES "\n" SLAB OBJECT DUMP("Bytes b4") DUMP("Object")
	       "Call Trace:\n");
}

/* SLAB_DEBUG_INITIAL of 2.4. */
static unsigned verified;

static void construct_or_verify(void *object, kmem_cache_t *s, unsigned long flags)
{
	(void)s;
	if (!(flags & SLAB_CTOR_VERIFY)) {
		memset(object, 0x3c, 40);
		return;
	}
	cr_assert_eq(flags, SLAB_CTOR_VERIFY | SLAB_CTOR_CONSTRUCTOR);
	cr_assert(all_bytes(object, 0x3c, 40));
	verified++;
}

Test(era24, constructor_verifies_what_is_freed)
{
	kmem_cache_t *s = kmem_cache_create_24("initial", 40, 0, SLAB_DEBUG_INITIAL,
					       construct_or_verify, NULL);
	kmem_cache_t *t = kmem_cache_create_24("quiet", 40, 0, 0, construct_or_verify, NULL);
	void *p[3];
	int i;

	for (i = 0; i < 3; i++)
		p[i] = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert_eq(verified, 0);
	kmem_cache_free(s, p[0]);
	kfree(p[1]);
	free(p[2]);
	cr_assert_eq(verified, 3);
	kmem_cache_free(s, p[2]);
	cr_assert_eq(verified, 3, "not for what is free already");
	kmem_cache_free(t, kmem_cache_alloc(t, GFP_KERNEL));
	cr_assert_eq(verified, 3);
	begin_report();
	cr_assert(kmem_cache_create_24("no ctor", 40, 0, SLAB_DEBUG_INITIAL, NULL, NULL));
	expect("no constructor, but a check of the initial state requested");
}

/* An object as large as can be has no room for what surrounds it. */
Test(limits, largest_object)
{
	struct kmem_cache *s;
	void *p;

	begin_report();
	s = kmem_cache_create("largest", KMALLOC_MAX_SIZE, 0, FULL, NULL);
	expect("largest.*objects too large to be debugged");
	p = kmem_cache_alloc(s, GFP_KERNEL);
	cr_assert(p);
	memset(p, 1, KMALLOC_MAX_SIZE);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* The option in this program: a comma between two names is none between two options. */
Test(option, reaches_caches_by_name)
{
	struct kmem_cache *s = kmem_cache_create("poisoned", 64, 0, 0, NULL);
	struct kmem_cache *t = kmem_cache_create("plain", 64, 0, 0, NULL);
	unsigned char *p = kmem_cache_alloc(s, GFP_KERNEL), *q = kmem_cache_alloc(t, GFP_KERNEL);

	kmem_cache_free(s, p);
	cr_assert(all_bytes(p, POISON_FREE, 63) && p[63] == POISON_END);
	memset(q, 1, 64);
	kmem_cache_free(t, q);
	cr_assert(all_bytes(q, 1, 64));
}
