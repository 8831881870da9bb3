/* SPDX-License-Identifier: MIT */
/*
 * Runs a harness without a fuzzer: on random inputs for a time, or on files.
 *
 *   HARNESS [--seconds N] [--seed N] [FILE...]
 *
 * Before a random input is played its number stands in the report's line of SIGABRT and SIGSEGV, so
 * that --seed with that number plays it again at once. TAP: one test, or one a file.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#define MAX_INPUT	4096

uint64_t fuzz_operations;
static uint64_t number;

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void play(const uint8_t *data, size_t size)
{
	struct bytes in = { data, data + size };

	fuzz_one(&in);
}

/* An input is a function of its number. Few distinct bytes in some, so that places repeat. */
static void play_number(uint64_t n)
{
	static uint8_t data[MAX_INPUT];
	uint64_t state = n * 0xd1342543de82ef95u + 1;
	size_t size = next(&state) % MAX_INPUT, i;
	uint8_t mask = next(&state) % 4 ? 0xff : 0x3f;

	for (i = 0; i < size; i += 8) {
		uint64_t v = next(&state);

		memcpy(data + i, &v, size - i < 8 ? size - i : 8);
	}
	for (i = 0; mask != 0xff && i < size; i++)
		data[i] &= mask;
	play(data, size);
}

static void say_number(int sig)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "# input %llu\n", (unsigned long long)number);

	if (write(1, text, (size_t)n) != n)
		_exit(99);
	signal(sig, SIG_DFL);
	raise(sig);
}

static int play_random(double seconds, uint64_t seed)
{
	double start = now();

	signal(SIGABRT, say_number);
	signal(SIGSEGV, say_number);
	for (number = seed; now() - start < seconds; number++)
		play_number(number);
	printf("# inputs %llu to %llu\n", (unsigned long long)seed, (unsigned long long)number - 1);
	printf("ok 1 - %llu operations on %llu inputs without a difference\n1..1\n",
	       (unsigned long long)fuzz_operations, (unsigned long long)(number - seed));
	return 0;
}

static void play_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(99);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	play(data, size);
}

int main(int argc, char **argv)
{
	double seconds = 2;
	uint64_t seed = (uint64_t)time(NULL) << 20;
	int i = 1, files = 0;

	for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
		if (!strcmp(argv[i], "--seconds"))
			seconds = strtod(argv[i + 1], NULL);
		else
			seed = strtoull(argv[i + 1], NULL, 0);
	if (i == argc)
		return play_random(seconds, seed);
	for (; i < argc; i++) {
		play_file(argv[i]);
		printf("ok %d - %s\n", ++files, argv[i]);
	}
	printf("1..%d\n", files);
	return 0;
}
