/* SPDX-License-Identifier: MIT */
/*
 * As much of KUnit as one file of tests needs, speaking TAP.  slab_errors of the tests follows the
 * library's count of errors.
 */
#ifndef KUNIT_TEST_H
#define KUNIT_TEST_H

#include <linux/slab.h>

#include <stdio.h>

struct kunit {
	bool failed;
};

struct kunit_resource {
	int unused;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	struct kunit_case *test_cases;
};

/* What the suite registers as "slab_errors". */
extern int *kunit_errors;
extern unsigned long kunit_errors_seen;

static inline void kunit_follow_errors(void)
{
	unsigned long now = kmalloc_slab_errors();

	if (kunit_errors)
		*kunit_errors += (int)(now - kunit_errors_seen);
	kunit_errors_seen = now;
}

#define KUNIT_CASE(fn)	{ .run = fn, .name = #fn }
#define KUNIT_EXPECT_EQ(test, a, b) do { \
	kunit_follow_errors(); \
	if ((a) != (b)) { \
		printf("# %s:%d: %ld is not %ld\n", __FILE__, __LINE__, (long)(a), (long)(b)); \
		(test)->failed = true; \
	} \
} while (0)
#define kunit_add_named_resource(test, init, free_it, resource, name, data) do { \
	(void)(test); \
	(void)(resource); \
	kunit_errors = (data); \
	kunit_errors_seen = kmalloc_slab_errors(); \
} while (0)
#define kunit_skip(test, reason)	return

#define kunit_test_suite(suite) \
	int *kunit_errors; \
	unsigned long kunit_errors_seen; \
	int main(void) \
	{ \
		struct kunit_case *c; \
		int n = 0, failed = 0; \
		for (c = (suite).test_cases; c->run; c++) { \
			struct kunit test = { false }; \
			(suite).init(&test); \
			c->run(&test); \
			failed += test.failed; \
			printf("%sok %d - slub_kunit: %s\n", test.failed ? "not " : "", ++n, \
			       c->name); \
		} \
		printf("1..%d\n", n); \
		return failed != 0; \
	} \
	extern int kunit_end

#define IS_BUILTIN(option)		0
#define MODULE_LICENSE(text)		extern int kunit_licence
#define kasan_disable_current()		((void)0)
#define kasan_enable_current()		((void)0)
#define OPTIMIZER_HIDE_VAR(var)		__asm__("" : "=r"(var) : "0"(var))
#define alloc_hooks(call)		(call)

#endif
