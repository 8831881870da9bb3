/* SPDX-License-Identifier: MIT */
/*
 * What lateload.c and plugins.c open and close: it allocates in its constructor,
 * keeps a thread-local, and frees in its destructor.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int plugin_check(void);

static unsigned char *block[64];
static _Thread_local unsigned char *per_thread;

__attribute__((constructor)) static void load(void)
{
	for (size_t i = 0; i < 64; i++) {
		block[i] = malloc(1 + i * 997);
		memset(block[i], (int)i, 1 + i * 997);
	}
}

int plugin_check(void)
{
	per_thread = realloc(per_thread, 5000);
	memset(per_thread, 1, 5000);
	for (size_t i = 0; i < 64; i++)
		if (block[i][i * 997] != i)
			return 1;
	free(per_thread);
	per_thread = NULL;
	return 0;
}

__attribute__((destructor)) static void unload(void)
{
	for (size_t i = 0; i < 64; i++)
		free(block[i]);
}
