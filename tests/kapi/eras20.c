/* SPDX-License-Identifier: MIT */
/*
 * The interface of 2.0, from a file compiled for it.
 */
#define KMALLOC_API 20

#include "kapi.h"

#include <linux/malloc.h>

TestSuite(era20, .timeout = 120);

Test(era20, limit)
{
	void *p = kmalloc(131056, GFP_KERNEL);

	cr_assert(p);
	kfree(p);
	cr_assert_null(kmalloc(131057, GFP_KERNEL));
}

Test(era20, priorities)
{
	const int priority[] = { GFP_BUFFER, GFP_ATOMIC, GFP_USER, GFP_KERNEL, GFP_NOBUFFER, GFP_NFS };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(priority); i++) {
		void *p = kmalloc(100, (gfp_t)priority[i]);

		cr_assert(p);
		kfree_s(p, 100);
	}
	cr_assert(gfpflags_allow_blocking(GFP_BUFFER) && !gfpflags_allow_blocking(GFP_ATOMIC));
}

Test(era20, pages)
{
	unsigned long p = __get_free_pages(GFP_KERNEL, 3, 1), q = get_free_page(GFP_KERNEL);

	cr_assert(p && p < 1ul << 32 && q && all_bytes((void *)q, 0, PAGE_SIZE));
	free_pages(p, 3);
	free_page(q);
	cr_assert(p = __get_free_pages(GFP_KERNEL, 0, 0));
	free_page(p);
	vfree(vmalloc(200000));
}
