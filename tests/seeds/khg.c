/* SPDX-License-Identifier: MIT */
/*
 * The Russian translation of the Kernel Hackers' Guide, Linux 1.2 and 2.0: kmalloc with a priority,
 * at most 131056 bytes, kfree as a macro over kfree_s, which takes the size.
 */
#define KMALLOC_API 20

#include <linux/malloc.h>
#include <linux/mm.h>

#include "seed.h"

#ifndef kfree
#error "kfree is a macro"
#endif

static void sizes(void)
{
	size_t size;
	int wrong = 0;

	for (size = 1; size <= 131056; size = size * 2 + 1) {
		char *p = kmalloc(size, GFP_KERNEL);

		if (!p) {
			wrong++;
			continue;
		}
		memset(p, 1, size);
		kfree_s(p, size);
	}
	check(!wrong, "sizes up to the limit, freed with their size");
	check(kmalloc(131056, GFP_KERNEL) != NULL, "131056 bytes");
	check(!kmalloc(131057, GFP_KERNEL), "not one more");
}

static void priorities(void)
{
	void *atomic = kmalloc(31, GFP_ATOMIC), *buffer = kmalloc(31, GFP_BUFFER);
	unsigned long page = get_free_page(GFP_KERNEL);

	check(atomic && buffer, "GFP_ATOMIC and GFP_BUFFER");
	check(ksize(atomic) == 32, "31 bytes take 32");
	check(page && !*(char *)page, "get_free_page returns zeroes");
	kfree(atomic);
	kfree(buffer);
	free_page(page);
}

static void wrong_size(void)
{
	char *p = kmalloc(100, GFP_KERNEL);

	kfree_s(p, 3000);
	p[0] = 1;
	check(ksize(p) >= 100, "kfree_s with a size that cannot be frees nothing");
	kfree(p);
}

/* Memory taken at start, by moving its end: the guide's other way of getting some. */
static unsigned long foo_init(unsigned long mem_start, unsigned long mem_end)
{
	return mem_start + 4096 <= mem_end ? mem_start + 4096 : mem_start;
}

int main(void)
{
	unsigned long start = __get_free_pages(GFP_KERNEL, 2, 0), end = foo_init(start, start + 16384);

	sizes();
	priorities();
	wrong_size();
	check(end == start + 4096, "an init function keeps what it needs");
	free_pages(start, 2);
	return done();
}
