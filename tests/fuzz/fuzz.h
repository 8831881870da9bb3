/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzing harnesses share. A harness is fuzz_one(): it takes its operations from the bytes
 * of one input, plays them against a model of its own, and leaves nothing behind. The same file is
 * linked with driver.c, which makes inputs from random numbers or reads them from files, and, by
 * run.sh, with libFuzzer, which makes them from coverage.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE_OF(a)	(sizeof(a) / sizeof((a)[0]))

/* An input, as far as it has not been used. */
struct bytes {
	const uint8_t *at;
	const uint8_t *end;
};

void fuzz_one(struct bytes *in);

/* How many operations were played. */
extern uint64_t fuzz_operations;

/* A difference from the model ends the process; the input is what the driver or libFuzzer keeps. */
#define FUZZ_MUST(cond, ...) do {					\
	if (!(cond)) {							\
		printf("# ");						\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		fflush(stdout);						\
		abort();						\
	}								\
} while (0)

static inline bool more(const struct bytes *in)
{
	return in->at < in->end;
}

static inline unsigned take8(struct bytes *in)
{
	return more(in) ? *in->at++ : 0;
}

static inline unsigned take16(struct bytes *in)
{
	unsigned low = take8(in);

	return low | take8(in) << 8;
}

/* Any magnitude below 1 << @bits equally often: 5 bits say which, the others where in it. */
static inline size_t take_size(struct bytes *in, unsigned bits)
{
	unsigned v = take16(in), shift = (v & 31) % bits;

	return ((size_t)1 << shift) + (((size_t)(v >> 5) << shift) >> 11);
}

/* -- Marks: the ends of a block say whose it is -- */

static inline void mark(void *p, size_t size, uint64_t key)
{
	if (size >= 16) {
		memcpy(p, &key, 8);
		memcpy((char *)p + size - 8, &key, 8);
	} else {
		memset(p, (int)key, size);
	}
}

/* Of a block that was marked with @size: as much as is left of it when it is @now long. */
static inline bool marked(const void *p, size_t size, uint64_t key, size_t now)
{
	const unsigned char *c = p;
	size_t i;

	if (size >= 16)
		return now < 8 || (!memcmp(p, &key, 8) &&
				   (now < size || !memcmp(c + size - 8, &key, 8)));
	for (i = 0; i < size && i < now; i++)
		if (c[i] != (unsigned char)key)
			return false;
	return true;
}

static inline bool zero_bytes(const void *p, size_t size)
{
	const char *c = p;

	return !size || (!c[0] && !memcmp(c, c + 1, size - 1));
}

#endif /* TESTS_FUZZ_H */
