/* SPDX-License-Identifier: MIT */
/*
 * A memory pool: a writer that must not fail halfway, in a process that gets no more memory.
 * Run it under `ulimit -v` for the same effect from outside.
 */
#include <linux/mempool.h>
#include <linux/slab.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define BUFFERS		8
#define BUFFER_SIZE	65536

static void run_out_of_memory(void)
{
	struct rlimit limit = { 0, 0 };
	unsigned long n = 0;

	setrlimit(RLIMIT_DATA, &limit);
	while (kmalloc(BUFFER_SIZE, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN))
		n++;
	printf("memory is gone after %lu buffers\n", n);
}

int main(void)
{
	mempool_t *pool = mempool_create_kmalloc_pool(BUFFERS, BUFFER_SIZE);
	void *buffer[BUFFERS];
	int round, i;

	if (!pool)
		return 1;
	run_out_of_memory();
	for (round = 0; round < 1000; round++) {
		for (i = 0; i < BUFFERS; i++) {
			buffer[i] = mempool_alloc(pool, GFP_KERNEL);
			if (!buffer[i])
				return 1;	/* never: somebody will free one */
			memset(buffer[i], round, BUFFER_SIZE);
		}
		for (i = 0; i < BUFFERS; i++)
			mempool_free(buffer[i], pool);
	}
	printf("%d buffers written all the same\n", round * BUFFERS);
	mempool_destroy(pool);
	return 0;
}
