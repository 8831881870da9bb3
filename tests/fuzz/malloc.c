/* SPDX-License-Identifier: MIT */
/*
 * The malloc family against a model that knows of each block where it is, how long, and its marks.
 * Sizes up to 8 MiB, so that slabs, runs of pages and mappings of their own all take part.
 */
#include "fuzz.h"

#include <errno.h>
#include <malloc.h>

#define BLOCKS	256

static struct block {
	unsigned char *p;
	size_t size;
	uint64_t key;
} block[BLOCKS];

static uint64_t next_key;

static void verify(const struct block *b)
{
	FUZZ_MUST(marked(b->p, b->size, b->key, b->size), "%p (%zu bytes) is damaged", (void *)b->p,
		  b->size);
}

static void settle(struct block *b, void *p, size_t size, size_t align)
{
	FUZZ_MUST(p, "no memory for %zu bytes", size);
	FUZZ_MUST(!((uintptr_t)p & (align - 1)), "%p is not aligned to %zu", p, align);
	FUZZ_MUST(malloc_usable_size(p) >= size, "%zu usable bytes of %zu", malloc_usable_size(p),
		  size);
	b->p = p;
	b->size = size;
	b->key = ++next_key * 0x9e3779b97f4a7c15u;
	mark(p, size, b->key);
}

static void release(struct block *b)
{
	if (!b->p)
		return;
	verify(b);
	errno = 77;
	free(b->p);
	FUZZ_MUST(errno == 77, "free changed errno");
	b->p = NULL;
}

static void zeroed(struct block *b, size_t size)
{
	size_t n = 1 + size % 7;
	void *p = calloc(n, size / n + 1);

	FUZZ_MUST(p && zero_bytes(p, n * (size / n + 1)), "calloc(%zu) is not zero", size);
	settle(b, p, n * (size / n + 1), 16);
}

static void aligned(struct block *b, struct bytes *in, size_t size)
{
	unsigned how = take8(in);
	size_t align = (size_t)16 << (how >> 2) % 17;
	void *p = NULL;

	switch (how & 3) {
	case 0:
		p = aligned_alloc(align, size);
		break;
	case 1:
		p = memalign(align, size);
		break;
	case 2:
		FUZZ_MUST(!posix_memalign(&p, align, size), "posix_memalign");
		break;
	default:
		align = 4096;
		p = how & 4 ? valloc(size) : pvalloc(size);
	}
	settle(b, p, size, align);
}

static void resize(struct block *b, size_t size)
{
	void *p = realloc(b->p, size);

	FUZZ_MUST(p && (!b->p || marked(p, b->size, b->key, size)), "realloc %zu -> %zu lost something",
		  b->size, size);
	settle(b, p, size, 16);
}

static void operation(struct bytes *in)
{
	unsigned op = take8(in);
	struct block *b = &block[take8(in) % BLOCKS];
	/* The larger, the rarer, since they are slow. */
	unsigned rare = take8(in);
	size_t size = take_size(in, rare ? rare < 8 ? 17 : 11 : 23);

	fuzz_operations++;
	if (op == 0xff && rare < 64) {
		malloc_trim(0);
		return;
	}
	if (b->p && (op & 15) >= 11) {
		verify(b);
		resize(b, size);
		return;
	}
	if (b->p) {
		release(b);
		return;
	}
	switch (op & 15) {
	case 0:
		zeroed(b, size);
		break;
	case 1:
		aligned(b, in, size);
		break;
	case 2:
		resize(b, size);
		break;
	default:
		settle(b, malloc(size), size, 16);
	}
}

void fuzz_one(struct bytes *in)
{
	while (more(in))
		operation(in);
	for (size_t i = 0; i < BLOCKS; i++)
		release(&block[i]);
}
