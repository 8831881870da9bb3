/* SPDX-License-Identifier: MIT */
/*
 * Calls malloc and free, or their counterparts of the kernel's interface, again and again;
 * check-insn.sh runs it under callgrind and adds up what the calls made by the function of the
 * workload's name cost. The loops themselves are not part of that sum, but the jumps through the
 * PLT are.
 *
 * Usage: insn pairs|batches|cache|constructed|zeroed|cleared|sized|aligned SIZE COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000

static void *batch[BATCH];

/* The compiler must not see that nobody looks at the object. */
static inline void escape(void *object)
{
	__asm__ volatile("" : : "r"(object) : "memory");
}

static __attribute__((noinline)) void pairs(size_t size, long count)
{
	for (long i = 0; i < count; i++) {
		void *object = malloc(size);

		escape(object);
		free(object);
	}
}

/* Frees in the opposite order of the allocations, as a stack of calls would. */
static __attribute__((noinline)) void batches(size_t size, long count)
{
	for (long done = 0; done < count; done += BATCH) {
		for (int i = 0; i < BATCH; i++) {
			batch[i] = malloc(size);
			escape(batch[i]);
		}
		for (int i = BATCH - 1; i >= 0; i--)
			free(batch[i]);
	}
}

/* The preloaded library's, if there is one. */
#define GFP_KERNEL	0xcc0u

extern void *kmem_cache_create(const char *name, unsigned size, unsigned align, unsigned flags,
			       void (*ctor)(void *object)) __attribute__((weak));
extern void *kmem_cache_alloc(void *cache, unsigned gfp) __attribute__((weak));
extern void *kmem_cache_zalloc(void *cache, unsigned gfp) __attribute__((weak));
extern void kmem_cache_free(void *cache, void *object) __attribute__((weak));
extern void *kmalloc(size_t size, unsigned gfp) __attribute__((weak));
extern void kfree(const void *object) __attribute__((weak));

static void construct(void *object)
{
	*(char *)object = 1;
}

/* Inlined: callgrind must see the calls as those of the workload. */
static inline __attribute__((always_inline)) void from_cache(size_t size, long count,
							     void (*ctor)(void *object),
							     void *(*alloc)(void *, unsigned))
{
	void *s = kmem_cache_create("insn", (unsigned)size, 0, 0, ctor);

	for (long i = 0; i < count; i++) {
		void *object = alloc(s, GFP_KERNEL);

		escape(object);
		kmem_cache_free(s, object);
	}
}

static __attribute__((noinline)) void cache(size_t size, long count)
{
	from_cache(size, count, NULL, kmem_cache_alloc);
}

static __attribute__((noinline)) void constructed(size_t size, long count)
{
	from_cache(size, count, construct, kmem_cache_alloc);
}

/* With the zeroing, as calloc's below. */
static __attribute__((noinline)) void zeroed(size_t size, long count)
{
	from_cache(size, count, NULL, kmem_cache_zalloc);
}

static __attribute__((noinline)) void cleared(size_t size, long count)
{
	for (long i = 0; i < count; i++) {
		void *object = calloc(1, size);

		escape(object);
		free(object);
	}
}

static __attribute__((noinline)) void sized(size_t size, long count)
{
	for (long i = 0; i < count; i++) {
		void *object = kmalloc(size, GFP_KERNEL);

		escape(object);
		kfree(object);
	}
}

static __attribute__((noinline)) void aligned(size_t size, long count)
{
	for (long i = 0; i < count; i++) {
		void *object = NULL;

		if (posix_memalign(&object, 64, size))
			abort();
		escape(object);
		free(object);
	}
}

static const struct {
	const char *name;
	void (*run)(size_t size, long count);
} workloads[] = {
	{ "pairs", pairs },
	{ "batches", batches },
	{ "cache", cache },
	{ "constructed", constructed },
	{ "zeroed", zeroed },
	{ "cleared", cleared },
	{ "sized", sized },
	{ "aligned", aligned },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 4 && i < sizeof(workloads) / sizeof(*workloads); i++) {
		if (strcmp(argv[1], workloads[i].name) == 0) {
			workloads[i].run(strtoul(argv[2], NULL, 0), strtol(argv[3], NULL, 0));
			return 0;
		}
	}
	fprintf(stderr, "usage: insn WORKLOAD SIZE COUNT\n");
	return 2;
}
