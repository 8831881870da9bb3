/* SPDX-License-Identifier: MIT */
/*
 * Slab debugging from inside: the language of the option, call sites, what lies where.
 */
#include "unit.h"

#include "kmalloc/api.h"
#include "os/options.h"
#include "os/where.h"
#include "slab/debug.h"

#define F	SLAB_CONSISTENCY_CHECKS
#define Z	SLAB_RED_ZONE
#define P	SLAB_POISON
#define U	SLAB_STORE_USER
#define T	SLAB_TRACE
#define A	SLAB_FAILSLAB

/* The flags of cache @name under the option @text. */
static slab_flags_t flags_of(const char *text, const char *name, slab_flags_t own)
{
	options_parse(&options, "test", str_of(text));
	return slab_debug_option(name, own);
}

static const struct {
	const char *text, *name;
	slab_flags_t flags;
} rows[] = {
	{ "slab_debug", "any", F | Z | P | U },
	{ "slab_debug:", "any", 0 },
	{ "slab_debug:F", "any", F },
	{ "slab_debug:fzputa", "any", F | Z | P | U | T | A },
	{ "slab_debug=FZ", "any", F | Z },
	{ "slab_debug:-", "any", 0 },
	{ "slab_debug:FZ-P", "any", P },
	{ "slab_debug:O", "any", 0 },
	{ "slab_debug:FO", "any", F },
	/* Names. */
	{ "slab_debug:,one", "one", F | Z | P | U },
	{ "slab_debug:,one", "two", 0 },
	{ "slab_debug:Z,one,two", "two", Z },
	{ "slab_debug:Z, one , two ", "one", Z },
	{ "slab_debug:Z,one", "one_more", 0 },
	{ "slab_debug:Z,one_more", "one", 0 },
	{ "slab_debug:Z,one*", "one_more", Z },
	{ "slab_debug:Z,one*", "one", Z },
	{ "slab_debug:Z,one*", "on", 0 },
	{ "slab_debug:Z,*", "any", Z },
	/* Blocks: the first one with the name, else the last one without any. */
	{ "slab_debug:F,one;Z,one", "one", F },
	{ "slab_debug:F;Z,one", "one", Z },
	{ "slab_debug:F;Z,one", "two", F },
	{ "slab_debug:Z,one;F", "two", F },
	{ "slab_debug:F;P", "any", P },
	{ "slab_debug:F,one,two;Z,three,f*;P", "four", Z },
	{ "slab_debug:FZPU;-,one", "one", 0 },
	{ "slab_debug:F;", "any", F },
	{ "slab_debug:;;F;;", "any", F },
	{ "slab_debug:;;", "any", 0 },
	/* Among other options. */
	{ "stats:0,slab_debug:Z,one,two,decay_ms:1000", "two", Z },
	{ "slab_debug:Z,one,stats,two", "two", 0 },
	{ "slab_debug:Z,one,sta*", "stats", Z },
	{ "slab_debug:F,slab_debug:Z", "any", Z },
};

Test(slab_debug, language)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct captured said;
		slab_flags_t flags;

		capture_begin(&said);
		flags = flags_of(rows[i].text, rows[i].name, 0);
		capture_end(&said);
		cr_assert_eq(flags, rows[i].flags, "%s: %s has %x, not %x", rows[i].text,
			     rows[i].name, flags, rows[i].flags);
	}
}

Test(slab_debug, flags_of_the_cache_count_too)
{
	cr_assert_eq(flags_of("slab_debug:F", "any", SLAB_NO_MERGE | T), SLAB_NO_MERGE | T | F);
	cr_assert_eq(flags_of("slab_debug:F", "any", SLAB_NO_USER_FLAGS), SLAB_NO_USER_FLAGS);
	cr_assert_eq(flags_of("slab_debug:FU", "any", SLAB_NOLEAKTRACE), SLAB_NOLEAKTRACE | F);
	cr_assert_eq(flags_of("slab_debug:U,any", "any", SLAB_NOLEAKTRACE), SLAB_NOLEAKTRACE | U);
	cr_assert(slab_debug_wanted("an"));
	flags_of("slab_debug:U,kmalloc-6*", "any", 0);
	cr_assert(slab_debug_wanted("kmalloc-") && !slab_debug_wanted("any"));
	flags_of("slab_debug:-", "any", 0);
	cr_assert(!slab_debug_wanted("any"));
}

Test(slab_debug, unknown_letters_are_said_once)
{
	struct captured said;

	capture_begin(&said);
	flags_of("slab_debug:FxO-,one;q", "one", 0);
	flags_of("slab_debug:y", "one", 0);
	cr_assert_str_eq(capture_end(&said), "libkmalloc: slab_debug option 'x' unknown. skipped\n"
			 "libkmalloc: slab_debug option 'q' unknown. skipped\n");
}

Test(slab_debug, names_that_do_not_fit_are_said)
{
	struct captured said;
	char text[2000] = "slab_debug:F,", name[16];
	size_t i;

	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "cache-no-%02zu,", i);
		strcat(text, name);
	}
	capture_begin(&said);
	cr_assert_eq(flags_of(text, "cache-no-03", 0), F);
	cr_assert_eq(flags_of(text, "cache-no-59", 0), 0);
	cr_assert(strstr(capture_end(&said), "slab_debug: cache-no-59 does not fit and is ignored"));
}

/* O: an object of a page needs a second one for red zones; one of 100 bytes does not. */
Test(slab_debug, order)
{
	struct kmem_cache *page, *small;

	options_parse(&options, "test", str_of("slab_debug:FZPUO"));
	page = do_cache_create("page", 4096, NULL, 0);
	small = do_cache_create("small", 100, NULL, 0);
	cr_assert_eq(page->flags & SLAB_DEBUG_FLAGS, F);
	cr_assert_eq(small->flags & SLAB_DEBUG_FLAGS, F | Z | P | U);
}

/*
 * Call sites.
 */

static __attribute__((noinline)) void *here(struct kmem_cache *s)
{
	void *object = slab_debug_alloc(s, __builtin_frame_address(0));

	KEEP_FRAME();
	return object;
}

static __attribute__((noinline)) void *there(struct kmem_cache *s)
{
	void *object = slab_debug_alloc(s, __builtin_frame_address(0));

	KEEP_FRAME();
	return object;
}

Test(slab_debug, call_sites)
{
	struct kmem_cache *s = do_cache_create("sites", 64, NULL, F | U);
	struct slab_call_site sites[4];
	void *objects[10];
	size_t n, i;

	cr_assert(heap_enter());
	for (i = 0; i < 10; i++)
		objects[i] = i < 3 ? here(s) : there(s);
	n = slab_debug_call_sites(s, false, sites, ARRAY_SIZE(sites));
	cr_assert_eq(n, 2);
	cr_assert(sites[0].count == 7 && sites[1].count == 3, "the most frequent first");
	cr_assert(sites[0].min_thread == (uint32_t)gettid() && sites[0].max_age < 10000 &&
		  sites[0].min_age <= sites[0].max_age);
	cr_assert_eq(slab_debug_call_sites(s, true, sites, ARRAY_SIZE(sites)), 0);
	cr_assert_eq(slab_debug_call_sites(s, false, sites, 1), 1, "no more than there is room for");
	for (i = 0; i < 10; i++)
		slab_debug_free(s, objects[i], __builtin_frame_address(0));
	cr_assert_eq(slab_debug_call_sites(s, false, sites, ARRAY_SIZE(sites)), 0);
	n = slab_debug_call_sites(s, true, sites, ARRAY_SIZE(sites));
	cr_assert(n == 1 && sites[0].count == 10);
	gate_leave();
}

/*
 * What lies where.
 */

static void *stack_of_thread(void *arg)
{
	struct os_stack stack = os_stack_find();
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	cr_assert(stack.low < here && here < stack.high, "%lx %lx %lx", stack.low, here, stack.high);
	cr_assert_eq(stack.high, (uintptr_t)pthread_self());
	return arg;
}

Test(where, stacks)
{
	struct os_stack stack = os_stack_find();
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	cr_assert(stack.low < here && here < stack.high && (uintptr_t)environ < stack.high);
	run_threads(4, stack_of_thread, NULL);
}

extern const char __executable_start[];

Test(where, places)
{
	struct os_place places[] = {
		{ .addr = (void *)(uintptr_t)stack_of_thread }, { .addr = (void *)8 },
		{ .addr = (void *)(uintptr_t)strlen }, { .addr = &places },
	};

	os_locate(places, ARRAY_SIZE(places));
	cr_assert_str_eq(places[0].module, "unit");
	cr_assert_eq((uintptr_t)places[0].addr - places[0].offset, (uintptr_t)__executable_start);
	cr_assert_str_eq(places[1].module, "");
	cr_assert_eq(places[1].offset, 8);
	cr_assert(strstr(places[2].module, "libc"));
	cr_assert_str_eq(places[3].module, "[stack]");
	cr_assert_str_eq(debug_place_text(&places[1]).text, "0x8");
}
