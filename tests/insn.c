/* SPDX-License-Identifier: MIT */
/*
 * Calls malloc and free again and again; check-insn.sh runs it under callgrind and adds up what the
 * calls made by pairs() and batches() cost. The loops themselves are not part of that sum, but the
 * jumps through the PLT are.
 *
 * Usage: insn pairs|batches SIZE COUNT
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

int main(int argc, char **argv)
{
	size_t size;
	long count;

	if (argc != 4) {
		fprintf(stderr, "usage: insn pairs|batches SIZE COUNT\n");
		return 2;
	}
	size = strtoul(argv[2], NULL, 0);
	count = strtol(argv[3], NULL, 0);
	if (strcmp(argv[1], "pairs") == 0)
		pairs(size, count);
	else
		batches(size, count);
	return 0;
}
