/* SPDX-License-Identifier: MIT */
/*
 * prng.h: the pseudo-random numbers of benchmarks and of the bootstrap.
 *
 * xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled",
 * 2016): three shifts and a multiplication, so that drawing a number costs less than what is
 * measured, and the same seed gives the same operations under every allocator.
 */
#ifndef KB_PRNG_H
#define KB_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t s;
};

static inline void prng_seed(struct prng *r, uint64_t seed)
{
	/* One splitmix64 step: small seeds must not give similar streams, and zero is forbidden. */
	uint64_t z = seed + UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	r->s = (z ^ (z >> 31)) | 1;
}

static inline uint64_t prng_next(struct prng *r)
{
	r->s ^= r->s >> 12;
	r->s ^= r->s << 25;
	r->s ^= r->s >> 27;
	return r->s * UINT64_C(0x2545f4914f6cdd1d);
}

/* A number in [0, n); the bias of the multiply-shift is below 2^-32 for every n used here. */
static inline uint32_t prng_below(struct prng *r, uint32_t n)
{
	return (uint32_t)(((prng_next(r) >> 32) * n) >> 32);
}

/* A number in [lo, hi]. */
static inline size_t prng_range(struct prng *r, size_t lo, size_t hi)
{
	return lo + prng_below(r, (uint32_t)(hi - lo + 1));
}

/*
 * A size in [1 << lo, 1 << hi): the exponent uniform, then the rest uniform, which is the
 * "many small, few large" shape that measured programs show.
 */
static inline size_t prng_size_log(struct prng *r, unsigned lo, unsigned hi)
{
	unsigned e = lo + prng_below(r, hi - lo);

	return ((size_t)1 << e) + prng_below(r, (uint32_t)1 << e);
}

static inline void prng_shuffle(struct prng *r, uint32_t *a, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = prng_below(r, i), t = a[i - 1];

		a[i - 1] = a[j];
		a[j] = t;
	}
}

#endif
