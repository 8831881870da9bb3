/* SPDX-License-Identifier: MIT */
/*
 * The program that dies: each case misuses malloc in one way. Run by the runner
 * (runner.c) with the case's name; see there what must come of it.
 */
#include "death.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char static_block[4096];

/* The compiler must not know what is done to the pointer. */
static void *hidden(const void *p)
{
	uintptr_t v = (uintptr_t)p;

	__asm__ volatile("" : "+r"(v));
	return (void *)v;
}

static void *shown(const void *p)
{
	dprintf(1, "0x%lx\n", (unsigned long)(uintptr_t)p);
	return hidden(p);
}

/* Still in working order: what every case that survives proves at its end. */
static int still_works(void)
{
	char *p[200];

	for (size_t i = 0; i < 200; i++) {
		p[i] = malloc(1 + i * i);
		if (!p[i])
			return 1;
		memset(p[i], (int)i, 1 + i * i);
	}
	for (size_t i = 0; i < 200; i++) {
		if (p[i][i * i] != (char)i)
			return 1;
		free(p[i]);
	}
	dprintf(1, ALIVE "\n");
	return 0;
}

static void double_free(size_t size)
{
	void *p = shown(malloc(size));

	free(p);
	free(hidden(p));
}

static void double_64(void) { double_free(64); }
static void double_16(void) { double_free(16); }
static void double_1024(void) { double_free(1024); }
static void double_32k(void) { double_free(32768); }
static void double_run(void) { double_free(100000); }
static void double_large(void) { double_free(8 << 20); }

/* Other objects of the cache are freed in between, then the magazines are drained. */
static void double_with_others(size_t others)
{
	void **keep = malloc(others * sizeof(*keep)), *p = shown(malloc(64));

	for (size_t i = 0; i < others; i++)
		keep[i] = malloc(64);
	free(p);
	for (size_t i = 0; i < others; i++)
		free(keep[i]);
	free(hidden(p));
	malloc_trim(0);
}

static void double_after_one(void) { double_with_others(1); }
static void double_after_ten(void) { double_with_others(10); }
static void double_after_many(void) { double_with_others(20000); }

static void *free_it(void *p)
{
	free(p);
	return NULL;
}

static void double_in_two_threads(void)
{
	void *p = shown(malloc(64));
	pthread_t t;

	free(p);
	pthread_create(&t, NULL, free_it, hidden(p));
	pthread_join(t, NULL);
	malloc_trim(0);
}

/* The slab itself has gone back before the second free. */
static void double_after_trim(void)
{
	void *p = shown(malloc(64));

	free(p);
	malloc_trim(0);
	free(hidden(p));
	malloc_trim(0);
}

static void interior_of(size_t size, size_t offset)
{
	char *p = malloc(size);

	shown(p);
	free(shown(p + offset));
	malloc_trim(0);
}

static void interior_64(void) { interior_of(64, 8); }
static void interior_64_by_16(void) { interior_of(64, 16); }
static void interior_1024(void) { interior_of(1024, 1000); }
static void interior_32k(void) { interior_of(32768, 4096); }
static void interior_run(void) { interior_of(100000, 8192); }
static void interior_run_odd(void) { interior_of(100000, 24); }
static void interior_large(void) { interior_of(8 << 20, 65536); }

static void foreign_stack(void)
{
	char on_stack[256];

	free(shown(on_stack + 16));
}

static void foreign_static(void)
{
	free(shown(static_block + 64));
}

static void foreign_mmap(void)
{
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 7, 65536);
	free(shown(p));
	if (*(volatile char *)p != 7)
		_exit(3);
}

static void foreign_low(void)
{
	free(shown((void *)16));
}

static void foreign_non_canonical(void)
{
	free(shown((void *)0xdead000000000010ul));
}

static void realloc_foreign(void)
{
	memset(static_block, 5, sizeof(static_block));
	char *q = realloc(shown(static_block + 64), 200);

	if (q) {
		memset(q, 1, 200);
		free(q);
	}
	for (size_t i = 0; i < sizeof(static_block); i++)
		if (static_block[i] != 5)
			_exit(3);
}

static void usable_size_foreign(void)
{
	malloc_usable_size(shown(static_block + 64));
}

static void free_null(void)
{
	free(hidden(NULL));
}

static void realloc_freed(void)
{
	void *p = shown(malloc(64));

	free(p);
	p = realloc(hidden(p), 4000);
	free(p);
	malloc_trim(0);
}

/*
 * Writes where nothing was asked for, and to what is free.
 */

static void overflow_at(size_t size, size_t past)
{
	char *p = shown(malloc(size));

	((char *)hidden(p))[size + past] ^= 1;
	free(p);
}

static void overflow_first(void) { overflow_at(24, 0); }
static void overflow_last(void) { overflow_at(24, 7); }
static void overflow_slack(void) { overflow_at(2049, 100); }
static void overflow_usable(void) { overflow_at(8, 0); }

static void overflow_zeroes(void)
{
	char *p = shown(malloc(24));

	memset(p, 'x', 24);
	memset((char *)hidden(p) + 24, 0, 8);
	free(p);
}

static void overflow_found_by_realloc(void)
{
	char *p = shown(malloc(100));

	((char *)hidden(p))[100] = 'x';
	p = realloc(p, 5000);
	free(p);
}

/* A string that fills its memory ends at once behind it. */
static void string_unended(void)
{
	char *p = malloc(24);

	memset(p, 'x', 24);
	if (strlen(hidden(p)) != 24)
		_exit(3);
	free(p);
}

/* Until the object has been used again. */
static void churn(size_t size)
{
	for (int i = 0; i < 200000; i++)
		free(hidden(malloc(size)));
}

static void write_after_free(size_t at)
{
	char *p = shown(malloc(128));

	free(p);
	((char *)hidden(p))[at] = 'x';
	churn(128);
}

static void write_after_free_65(void) { write_after_free(65); }
static void write_after_free_0(void) { write_after_free(0); }

static void write_after_reuse(void)
{
	char *p = shown(malloc(128));

	free(p);
	free(hidden(malloc(128)));
	((char *)hidden(p))[64] = 'x';
	churn(128);
}

static void read_after_free(void)
{
	char *p = malloc(64);

	memset(p, 'x', 64);
	free(p);
	for (int i = 0; i < 64; i++)
		if (((volatile char *)hidden(p))[i])
			_exit(3);
}

static void fresh_is_zero(void)
{
	for (int i = 0; i < 10000; i++) {
		size_t size = 1 + (size_t)i % 3000;
		volatile char *p = malloc(size);

		for (size_t at = 0; at < size; at++)
			if (p[at])
				_exit(3);
		memset((char *)(uintptr_t)p, 'x', size);
		free((void *)(uintptr_t)p);
	}
}

static void reuse_is_late(void)
{
	void *p = malloc(64);

	free(p);
	for (int i = 0; i < 100; i++) {
		void *q = malloc(64);

		if (q == hidden(p))
			_exit(3);
		free(q);
	}
}

static void usable_size_freed(void)
{
	void *p = shown(malloc(64));

	free(p);
	malloc_usable_size(hidden(p));
}

static void usable_size_interior(void)
{
	char *p = shown(malloc(64));

	malloc_usable_size(shown(p + 1));
}

static void usable_size_exact(void)
{
	for (size_t size = 1; size < 40000; size += 1 + size / 7) {
		void *p = malloc(size);

		if (malloc_usable_size(p) < size || (size < 32000 && malloc_usable_size(p) > size))
			_exit(3);
		free(p);
	}
}

/*
 * Large blocks, whose pages tell.
 */

static void touch(volatile char *p)
{
	*p = 'x';
}

static void overflow_large(void)
{
	touch((char *)hidden(malloc(256 << 10)) + (256 << 10));
}

static void write_after_free_large(void)
{
	char *p = malloc(256 << 10);

	free(p);
	touch((char *)hidden(p) + 1000);
}

static void write_after_reuse_large(void)
{
	char *p = malloc(300 << 10);

	free(p);
	memset(hidden(malloc(300 << 10)), 'x', 300 << 10);
	touch((char *)hidden(p) + 1000);
}

static void fresh_is_zero_large(void)
{
	for (size_t i = 0; i < 300; i++) {
		size_t size = (i % 5 + 1) * (50 << 10);
		char *p = malloc(size);

		for (size_t at = 0; at < size; at += 7)
			if (p[at])
				_exit(3);
		memset(p, 'x', size);
		free(hidden(p));
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "double-64", double_64 },
	{ "double-16", double_16 },
	{ "double-1024", double_1024 },
	{ "double-32k", double_32k },
	{ "double-run", double_run },
	{ "double-large", double_large },
	{ "double-after-one", double_after_one },
	{ "double-after-ten", double_after_ten },
	{ "double-after-many", double_after_many },
	{ "double-in-two-threads", double_in_two_threads },
	{ "double-after-trim", double_after_trim },
	{ "interior-64", interior_64 },
	{ "interior-64-by-16", interior_64_by_16 },
	{ "interior-1024", interior_1024 },
	{ "interior-32k", interior_32k },
	{ "interior-run", interior_run },
	{ "interior-run-odd", interior_run_odd },
	{ "interior-large", interior_large },
	{ "foreign-stack", foreign_stack },
	{ "foreign-static", foreign_static },
	{ "foreign-mmap", foreign_mmap },
	{ "foreign-low", foreign_low },
	{ "foreign-non-canonical", foreign_non_canonical },
	{ "realloc-foreign", realloc_foreign },
	{ "usable-size-foreign", usable_size_foreign },
	{ "realloc-freed", realloc_freed },
	{ "free-null", free_null },
	{ "overflow-first", overflow_first },
	{ "overflow-last", overflow_last },
	{ "overflow-slack", overflow_slack },
	{ "overflow-usable", overflow_usable },
	{ "overflow-zeroes", overflow_zeroes },
	{ "overflow-found-by-realloc", overflow_found_by_realloc },
	{ "string-unended", string_unended },
	{ "write-after-free-0", write_after_free_0 },
	{ "write-after-free-65", write_after_free_65 },
	{ "write-after-reuse", write_after_reuse },
	{ "read-after-free", read_after_free },
	{ "fresh-is-zero", fresh_is_zero },
	{ "reuse-is-late", reuse_is_late },
	{ "overflow-large", overflow_large },
	{ "write-after-free-large", write_after_free_large },
	{ "write-after-reuse-large", write_after_reuse_large },
	{ "fresh-is-zero-large", fresh_is_zero_large },
	{ "usable-size-freed", usable_size_freed },
	{ "usable-size-interior", usable_size_interior },
	{ "usable-size-exact", usable_size_exact },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(argv[1], cases[i].name) == 0) {
			cases[i].run();
			return still_works();
		}
	fprintf(stderr, "victim: no such case\n");
	return 2;
}
