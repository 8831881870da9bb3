/* SPDX-License-Identifier: MIT */
/*
 * All calls at random against a shadow model: each thread knows of every block
 * it owns where it is, how long, how aligned and what is written in it. Three
 * themes: small and medium, aligned forms, large blocks with mappings of their
 * own.
 */
#include "stress.h"

#define BLOCKS	600

struct block {
	unsigned char *p;
	size_t size;
	uint64_t key;
};

struct theme {
	const char *what;
	size_t max;		/* largest size */
	size_t max_align;
	unsigned aligned;	/* of 16 allocations, so many are aligned forms */
	int threads;
};

static const struct theme themes[] = {
	{ "all calls, small and medium", 70000, 256, 3, 4 },
	{ "aligned forms", 40000, 4 << 20, 16, 4 },
	{ "large blocks", 24 << 20, 65536, 3, 3 },
	{ "one thread, everything", 8 << 20, 65536, 6, 1 },
};

static const struct theme *theme;
static double end_time;
static void (*sized)(void *, size_t);
static void (*aligned_sized)(void *, size_t, size_t);

static void verify(const struct block *b)
{
	MUST(stamp_holds(b->p, b->size, b->key), "block %p of %zu bytes is damaged", (void *)b->p,
	     b->size);
}

static void settle(struct rng *r, struct block *b, void *p, size_t size, size_t align)
{
	MUST(p, "no memory for %zu bytes", size);
	MUST(((uintptr_t)p & (align - 1)) == 0, "%p is not aligned to %zu", p, align);
	MUST(malloc_usable_size(p) >= size, "%p: %zu usable of %zu", p, malloc_usable_size(p), size);
	b->p = p;
	b->size = size;
	b->key = rng_next(r);
	stamp(p, size, b->key);
}

static bool all_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static void take_aligned(struct rng *r, struct block *b, size_t size)
{
	size_t shift = rng_below(r, (size_t)(64 - __builtin_clzll(theme->max_align)) - 4);
	size_t align = (size_t)16 << shift;
	void *p = NULL;

	switch (rng_below(r, 5)) {
	case 0:
		p = memalign(align, size);
		break;
	case 1:
		p = aligned_alloc(align, size);
		break;
	case 2:
		MUST(posix_memalign(&p, align, size) == 0, "posix_memalign");
		break;
	case 3:
		align = (size_t)sysconf(_SC_PAGESIZE);
		p = valloc(size);
		break;
	default:
		align = (size_t)sysconf(_SC_PAGESIZE);
		p = pvalloc(size);
	}
	settle(r, b, p, size, align);
}

static void take_plain(struct rng *r, struct block *b, size_t size)
{
	void *p;

	switch (rng_below(r, 4)) {
	case 0:
		p = calloc(1, size);
		MUST(p && all_zero(p, size), "calloc(%zu) is not zero", size);
		break;
	case 1:
		p = rng_below(r, 2) ? realloc(NULL, size) : reallocarray(NULL, size, 1);
		break;
	default:
		p = malloc(size);
	}
	settle(r, b, p, size, 16);
}

static void take(struct rng *r, struct block *b)
{
	size_t size = rng_size(r, theme->max);

	if (rng_below(r, 16) < theme->aligned)
		take_aligned(r, b, size);
	else
		take_plain(r, b, size);
}

static void resize(struct rng *r, struct block *b)
{
	size_t want = 1 + rng_size(r, theme->max), keep = want < b->size ? want : b->size;
	unsigned char *p = rng_below(r, 2) ? realloc(b->p, want) : reallocarray(b->p, want, 1);

	MUST(p && stamp_prefix_holds(p, keep, b->size, b->key), "realloc %zu -> %zu lost contents",
	     b->size, want);
	settle(r, b, p, want, 16);
}

static void drop(struct rng *r, struct block *b)
{
	switch (rng_below(r, 8)) {
	case 0:
		MUST(realloc(b->p, 0) == NULL, "realloc(p, 0) is not NULL");
		break;
	default:
		free(b->p);
	}
	b->p = NULL;
}

/* The sized forms are only right for blocks from the matching call. */
static void sized_pair(struct rng *r)
{
	size_t size = rng_size(r, theme->max);
	size_t align = (size_t)32 << rng_below(r, 6);

	if (sized)
		sized(malloc(size), size);
	if (aligned_sized)
		aligned_sized(aligned_alloc(align, size), align, size);
}

static void *player(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);
	size_t blocks = theme->max > MIB ? 24 : BLOCKS;
	struct block *b = calloc(blocks, sizeof(*b));

	while (now() < end_time)
		for (int i = 0; i < 200; i++) {
			struct block *one = &b[rng_below(&r, blocks)];

			if (!one->p) {
				take(&r, one);
				continue;
			}
			verify(one);
			if (rng_below(&r, 4) == 0)
				resize(&r, one);
			else
				drop(&r, one);
			if (rng_below(&r, 50) == 0)
				sized_pair(&r);
			if (rng_below(&r, 5000) == 0)
				malloc_trim(0);
		}
	for (size_t i = 0; i < blocks; i++)
		free(b[i].p);
	free(b);
	return NULL;
}

static void play(const struct theme *t)
{
	pthread_t crew[8];

	theme = t;
	end_time = deadline();
	for (int i = 0; i < t->threads; i++)
		crew[i] = thread_start(player, (void *)(uintptr_t)i);
	for (int i = 0; i < t->threads; i++)
		pthread_join(crew[i], NULL);
	ok(true, t->what);
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "mix");
	stress.seconds /= 2;
	*(void **)&sized = dlsym(RTLD_DEFAULT, "free_sized");
	*(void **)&aligned_sized = dlsym(RTLD_DEFAULT, "free_aligned_sized");
	for (size_t i = 0; i < ARRAY_SIZE(themes); i++)
		play(&themes[i]);
	return stress_end();
}
