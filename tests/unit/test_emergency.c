/* SPDX-License-Identifier: MIT */
/*
 * Allocation outside the gate: from several threads at once, any size, and back to an empty chunk.
 */
#include "unit.h"

#include "kmalloc/emergency.h"

TestSuite(emergency, .timeout = 60);

Test(emergency, memory_is_aligned_found_and_free_again)
{
	for (size_t align = 1; align <= 4096; align *= 2)
		for (size_t size = 1; size <= 5000; size += 333) {
			char *p = emergency_alloc(size, align);
			uintptr_t start;
			size_t found;

			cr_assert(p != NULL);
			cr_assert((uintptr_t)p % max(align, (size_t)16) == 0);
			memset(p, 0xff, size);
			cr_assert(emergency_find(p, &start, &found));
			cr_assert(start == (uintptr_t)p && found >= size);
			cr_assert(emergency_free(p));
		}
}

Test(emergency, what_is_not_from_here_is_refused)
{
	int on_stack;
	uintptr_t start;
	size_t size;

	cr_assert(!emergency_free(&on_stack));
	cr_assert(emergency_alloc(16, 16) != NULL);
	cr_assert(!emergency_free(&on_stack) && !emergency_free(NULL));
	cr_assert(!emergency_find(&on_stack, &start, &size));
}

/* The last free empties the chunk: emergencies for years do not add up. */
Test(emergency, chunks_are_used_again)
{
	void *first = emergency_alloc(100, 16), *p[50];

	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 50; i++)
			cr_assert((p[i] = emergency_alloc(10000, 16)) != NULL);
		emergency_free(first);
		for (int i = 0; i < 50; i++)
			cr_assert(emergency_free(p[i]));
		cr_assert(emergency_alloc(100, 16) == first);
	}
}

Test(emergency, large_requests_get_their_own)
{
	char *large = emergency_alloc((size_t)50 << 20, 4096), *small = emergency_alloc(10, 1);

	cr_assert(large != NULL && small != NULL);
	large[0] = large[((size_t)50 << 20) - 1] = 1;
	cr_assert(emergency_free(large) && emergency_free(small));
}

Test(emergency, huge_sizes_are_refused)
{
	cr_assert(emergency_alloc(100, 16) != NULL);
	for (size_t less = 0; less < 10000; less += 8) {
		cr_assert(emergency_alloc(SIZE_MAX - less, 16) == NULL, "SIZE_MAX - %zu", less);
		cr_assert(emergency_alloc(SIZE_MAX / 2 - less, 4096) == NULL);
	}
}

static void *random_emergencies(void *arg)
{
	enum { HELD = 20 };
	unsigned char *held[HELD] = { NULL };
	size_t size[HELD] = { 0 };

	random_seed ^= (uintptr_t)held * 3;
	for (int i = 0; i < 50000; i++) {
		size_t k = random_below(HELD);

		if (held[k]) {
			cr_assert(held[k][0] == k && held[k][size[k] - 1] == k);
			cr_assert(all_zero(held[k] + 1, size[k] > 2 ? size[k] - 2 : 0));
			emergency_free(held[k]);
			held[k] = NULL;
			continue;
		}
		size[k] = random_size(11);
		held[k] = emergency_alloc(size[k], (size_t)1 << random_below(8));
		cr_assert(held[k] != NULL);
		memset(held[k], 0, size[k]);
		held[k][0] = held[k][size[k] - 1] = (unsigned char)k;
	}
	for (size_t k = 0; k < HELD; k++)
		if (held[k])
			emergency_free(held[k]);
	return arg;
}

Test(emergency, threads_do_not_disturb_each_other)
{
	run_threads(4, random_emergencies, NULL);
}

static _Atomic unsigned handed_out;

static void count_deferred(void *ptr)
{
	atomic_fetch_add(&handed_out, (unsigned)(uintptr_t)ptr);
}

static void *defer_many(void *arg)
{
	for (int i = 0; i < 10000; i++)
		emergency_defer_free((void *)1);
	return arg;
}

Test(emergency, deferred_frees_are_handed_out_once)
{
	cr_assert(!emergency_has_deferred());
	run_threads(4, defer_many, NULL);
	cr_assert(emergency_has_deferred());
	emergency_for_each_deferred(count_deferred);
	cr_assert(handed_out == 40000, "%u", (unsigned)handed_out);
	cr_assert(!emergency_has_deferred());
	emergency_for_each_deferred(count_deferred);
	cr_assert(handed_out == 40000);
}
