/* SPDX-License-Identifier: MIT */
/*
 * Prefilled sheaves.
 */
#include "kapi.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

TestSuite(sheaf, .timeout = 120);

Test(sheaf, taking_cannot_fail)
{
	struct kmem_cache *s = kmem_cache_create("sheaf", 120, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 500);
	int i;

	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 500);
	refuse_memory_beyond(0);
	for (i = 0; i < 500; i++)
		cr_assert(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 0);
	cr_assert_null(kmem_cache_alloc_from_sheaf(s, GFP_NOWAIT, sheaf));
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
}

Test(sheaf, refill_and_return)
{
	struct kmem_cache *s = kmem_cache_create("refill", 120, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 5);
	void *p = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);

	cr_assert_eq(kmem_cache_refill_sheaf(s, GFP_KERNEL, &sheaf, 50), 0);
	cr_assert_eq(kmem_cache_sheaf_size(sheaf), 50);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_free(s, p);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

/* Every system call but read, write and _exit kills the process; nor is there memory. */
static void take_in_strict_mode(void)
{
	struct kmem_cache *s = kmem_cache_create("strict", 300, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 1000);
	unsigned i, got = 0;

	refuse_memory_beyond(0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 99);
	for (i = 0; i < 1000; i++) {
		char *p = kmem_cache_alloc_from_sheaf(s, i % 2 ? GFP_KERNEL | __GFP_ZERO : 0, sheaf);

		got += p && (!(i % 2) || all_bytes(p, 0, 300));
	}
	syscall(SYS_exit, got == 1000 ? 0 : 98);
}

Test(sheaf, taking_makes_no_system_call)
{
	cr_assert_eq(exit_status(take_in_strict_mode), 0);
}

static void build(void *object)
{
	memset(object, 0x42, 64);
}

Test(sheaf, objects_are_constructed)
{
	struct kmem_cache *s = kmem_cache_create("built", 64, 0, 0, build);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 100);
	void *p[100];
	int i;

	for (i = 0; i < 100; i++) {
		p[i] = kmem_cache_alloc_from_sheaf(s, GFP_KERNEL, sheaf);
		cr_assert(all_bytes(p[i], 0x42, 64));
	}
	kmem_cache_free_bulk(s, 100, p);
	kmem_cache_return_sheaf(s, GFP_KERNEL, sheaf);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

static void fail_to_prefill(void)
{
	struct kmem_cache *s = kmem_cache_create("scarce", 4000, 0, SLAB_NO_MERGE, NULL);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(s, GFP_KERNEL, 10);
	const gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

	refuse_memory_beyond(MIB);
	if (kmem_cache_prefill_sheaf(s, gfp, 100000))
		_exit(1);
	if (kmem_cache_refill_sheaf(s, gfp, &sheaf, 100000) != -ENOMEM)
		_exit(2);
	_exit(kmem_cache_sheaf_size(sheaf) == 10 ? 0 : 3);
}

Test(sheaf, all_or_nothing)
{
	cr_assert_eq(exit_status(fail_to_prefill), 0);
}
