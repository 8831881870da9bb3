/* SPDX-License-Identifier: MIT */
/*
 * realloc and reallocarray: contents survive every kind of move (small object,
 * page run, own mapping), a block that is big enough stays where it is, and the
 * corner cases are those of glibc.
 */
#include "api.h"

TestSuite(realloc, .timeout = 120);

/* Sizes on both sides of every boundary between the ways a block can live. */
static const size_t steps[] = {
	1, 15, 16, 17, 64, 100, 128, 129, 500, 1024, 1025, 4096, 5000, 8192, 8193,
	16384, 16385, 32767, 32768, 32769, 40000, 65536, 100000, 131072, 262145,
	1048576, 2097153, 4194303, 4194304, 4194305, 6000000, 9000000, 20000000,
};

Test(realloc, null_is_malloc)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		void *p = realloc(NULL, steps[i]);

		cr_assert(p && malloc_usable_size(p) >= steps[i]);
		memset(p, 1, steps[i]);
		free(p);
	}
	void *z = realloc(NULL, hide(0));

	cr_assert(z != NULL, "realloc(NULL, 0) is malloc(0)");
	free(z);
}

/* A thousand rounds of 1 MiB would show a block that is not freed. */
Test(realloc, zero_frees_and_returns_null)
{
	size_t before = live_bytes();

	for (int i = 0; i < 1000; i++) {
		void *p = malloc(i & 1 ? MIB : 100);

		cr_assert(realloc(p, hide(0)) == NULL);
		p = malloc(i & 1 ? MIB : 100);
		cr_assert(reallocarray(p, 10, hide(0)) == NULL);
	}
	cr_assert(live_bytes() <= before + 4 * MIB, "realloc(p, 0) does not free");
}

Test(realloc, every_pair_of_sizes)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++) {
			size_t keep = steps[i] < steps[j] ? steps[i] : steps[j];
			unsigned char *p = malloc(steps[i]);

			fill(p, steps[i], (unsigned)i);
			p = realloc(p, steps[j]);
			cr_assert(p != NULL && malloc_usable_size(p) >= steps[j]);
			cr_assert(is_filled(p, keep, (unsigned)i), "from %zu to %zu bytes",
				  steps[i], steps[j]);
			memset(p, 0x11, steps[j]);
			free(p);
		}
}

Test(realloc, grows_step_by_step)
{
	unsigned char *p = NULL;
	size_t have = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		p = realloc(p, steps[i]);
		cr_assert(p && is_filled(p, have, 77), "growing to %zu", steps[i]);
		fill(p, steps[i], 77);
		have = steps[i];
	}
	for (size_t i = ARRAY_SIZE(steps); i-- > 0;) {
		p = realloc(p, steps[i]);
		cr_assert(p && is_filled(p, steps[i], 77), "shrinking to %zu", steps[i]);
	}
	free(p);
}

Test(realloc, byte_by_byte)
{
	unsigned char *p = NULL;

	for (size_t n = 1; n <= 20000; n++) {
		p = realloc(p, n);
		p[n - 1] = (unsigned char)(n * 7);
	}
	for (size_t n = 1; n <= 20000; n++)
		cr_assert(p[n - 1] == (unsigned char)(n * 7), "byte %zu", n);
	free(p);
}

/* Several suites rely on it: within the usable size nothing moves. */
Test(realloc, within_usable_size_stays)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		void *p = malloc(steps[i]);
		size_t usable = malloc_usable_size(p);
		uintptr_t at = (uintptr_t)p;

		p = realloc(p, usable);
		cr_expect((uintptr_t)p == at, "malloc(%zu) moved when grown to its usable %zu",
			  steps[i], usable);
		cr_expect(malloc_usable_size(p) >= usable);
		at = (uintptr_t)p;
		p = realloc(p, malloc_usable_size(p) - 1);
		cr_expect((uintptr_t)p == at, "%zu moved when shrunk by a byte", steps[i]);
		free(p);
	}
}

/* Growing does not take a neighbour's memory. */
Test(realloc, neighbours_survive)
{
	enum { N = 300 };
	unsigned char *p[N];
	size_t size[N];

	for (size_t i = 0; i < N; i++) {
		size[i] = 100 + i * 211 % 60000;
		p[i] = malloc(size[i]);
		fill(p[i], size[i], (unsigned)i);
	}
	for (size_t round = 0; round < 20; round++)
		for (size_t i = 0; i < N; i++) {
			size_t want = 50 + (size[i] * 31 + round * 977) % 90000;
			size_t keep = want < size[i] ? want : size[i];

			p[i] = realloc(p[i], want);
			cr_assert(is_filled(p[i], keep, (unsigned)i));
			fill(p[i], want, (unsigned)i);
			size[i] = want;
		}
	for (size_t i = 0; i < N; i++) {
		cr_assert(is_filled(p[i], size[i], (unsigned)i));
		free(p[i]);
	}
}

/* A large block shrunk to little must not hold its memory. */
Test(realloc, shrinking_returns_memory)
{
	size_t before = live_bytes();
	void *p[64];

	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = malloc(8 * MIB);
		p[i] = realloc(p[i], 1000);
		cr_assert(malloc_usable_size(p[i]) <= 8 * KIB, "1000 bytes hold %zu",
			  malloc_usable_size(p[i]));
	}
	cr_assert(live_bytes() < before + 16 * MIB);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		free(p[i]);
}

Test(realloc, array_multiplies)
{
	char *p = reallocarray(NULL, hide(30), 41);

	cr_assert(p && malloc_usable_size(p) >= 30 * 41);
	fill(p, 30 * 41, 2);
	p = reallocarray(p, hide(300), 410);
	cr_assert(p && is_filled(p, 30 * 41, 2) && malloc_usable_size(p) >= 123000);
	free(p);
}
