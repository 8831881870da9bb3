/* SPDX-License-Identifier: MIT */
/* A harness as libFuzzer calls it. How many operations there were is told at the end. */
#include "fuzz.h"

uint64_t fuzz_operations;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void say_operations(void)
{
	printf("# %llu operations\n", (unsigned long long)fuzz_operations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, data + size };
	static bool told;

	if (!told)
		told = !atexit(say_operations);
	fuzz_one(&in);
	return 0;
}
