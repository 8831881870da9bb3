/* SPDX-License-Identifier: MIT */
/*
 * The kmalloc family.
 */
#include "kapi.h"

#include <malloc.h>

TestSuite(kmalloc, .timeout = 120);
TestSuite(krealloc, .timeout = 120);
TestSuite(kfree, .timeout = 120);
TestSuite(kvmalloc, .timeout = 120);
TestSuite(kmalloc_nolock, .timeout = 120);
TestSuite(buckets, .timeout = 120);

Test(kmalloc, size_zero)
{
	void *p = kmalloc(hide(0), GFP_KERNEL);

	cr_assert_eq(p, ZERO_SIZE_PTR);
	cr_assert_eq(ksize(p), 0);
	cr_assert_eq(ksize(NULL), 0);
	cr_assert_eq(kmalloc_size_roundup(0), 0);
	kfree(p);
	kfree(NULL);
	kfree_sensitive(p);
	kvfree(p);
}

Test(kmalloc, natural_alignment)
{
	size_t size;

	for (size = 1; size <= KMALLOC_MAX_SIZE; size += size / 5 + 1) {
		size_t align = max_t(size_t, size & -size, 8);
		void *p = kmalloc(size, GFP_KERNEL);

		cr_assert(p);
		cr_assert(is_aligned(p, min_t(size_t, align, KMALLOC_MAX_SIZE)), "%zu at %p", size, p);
		kfree(p);
	}
	for (size = 8; size <= KMALLOC_MAX_SIZE; size *= 2) {
		void *p = kmalloc(size, GFP_KERNEL);

		cr_assert(is_aligned(p, size), "%zu at %p", size, p);
		kfree(p);
	}
}

Test(kmalloc, every_size_up_to_two_pages)
{
	size_t size;

	for (size = 1; size <= KMALLOC_MAX_CACHE_SIZE; size++) {
		void *p = kmalloc(size, GFP_KERNEL), *q = kmalloc_nolock(size, 0, NUMA_NO_NODE);

		cr_assert(p && is_aligned(p, size & -size) && is_aligned(p, ARCH_KMALLOC_MINALIGN));
		cr_assert(!q || is_aligned(q, size & -size), "%zu at %p", size, q);
		cr_assert_eq(ksize(p), kmalloc_size_roundup(size), "%zu", size);
		kfree_nolock(q);
		kfree(p);
	}
}

Test(kmalloc, roundup_is_ksize_and_all_of_it_is_usable)
{
	size_t size;

	for (size = 1; size <= KMALLOC_MAX_SIZE; size += size / 3 + 1) {
		char *p = kmalloc(size, GFP_KERNEL);

		cr_assert_eq(ksize(p), kmalloc_size_roundup(size), "%zu", size);
		cr_assert_geq(ksize(p), size);
		memset(p, 0x5c, ksize(p));
		kfree(p);
	}
}

Test(kmalloc, largest)
{
	void *p = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL);

	cr_assert(p);
	kfree(p);
	cr_assert_null(kmalloc(hide(KMALLOC_MAX_SIZE + 1), GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(kmalloc(hide(SIZE_MAX), GFP_KERNEL | __GFP_NOWARN));
}

Test(kmalloc, arrays_do_not_overflow)
{
	size_t half = hide(SIZE_MAX / 2 + 2);

	cr_assert_null(kmalloc_array(half, 2, GFP_KERNEL));
	cr_assert_null(kcalloc(half, 2, GFP_KERNEL));
	cr_assert_null(krealloc_array(NULL, half, 2, GFP_KERNEL));
	cr_assert_null(kvmalloc_array(half, 2, GFP_KERNEL));
	cr_assert_null(kvcalloc(half, 2, GFP_KERNEL));
	cr_assert_null(kmalloc_array_node(half, 2, GFP_KERNEL, 0));
	cr_assert_null(vmalloc_array(half, 2));
	cr_assert_null(__vcalloc(half, 2, GFP_KERNEL));
}

Test(kmalloc, zeroed)
{
	size_t size;

	for (size = 1; size < 200000; size = size * 2 + 1) {
		char *p = kmalloc(size, GFP_KERNEL);

		memset(p, 0xff, ksize(p));
		kfree(p);
		p = kzalloc(size, GFP_KERNEL);
		cr_assert(all_bytes(p, 0, ksize(p)), "%zu", size);
		memset(p, 0xff, size);
		kfree(p);
		p = kcalloc(1, size, GFP_NOWAIT);
		cr_assert(!p || all_bytes(p, 0, size), "%zu", size);
		kfree(p);
	}
}

Test(krealloc, keeps_contents_and_follows_the_kernel_for_size_zero)
{
	char *p = krealloc(NULL, 10, GFP_KERNEL), *q;

	memcpy(p, "123456789", 10);
	q = krealloc(p, 12, GFP_KERNEL);
	cr_assert_eq(p, q, "in place");
	p = krealloc(q, 9000, GFP_KERNEL);
	cr_assert_str_eq(p, "123456789");
	cr_assert_eq(krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	p = krealloc(ZERO_SIZE_PTR, 5, GFP_KERNEL);
	cr_assert(p && p != ZERO_SIZE_PTR);
	kfree(p);
}

Test(krealloc, zero_reaches_the_end_at_every_step)
{
	size_t size = 1, old;
	char *p = krealloc(NULL, size, GFP_KERNEL | __GFP_ZERO);

	for (; size < 300000; size = size * 3 / 2 + 1) {
		old = ksize(p);
		memset(p, 0x11, size);
		p = krealloc(p, size * 3 / 2 + 1, GFP_KERNEL | __GFP_ZERO);
		cr_assert(all_bytes(p, 0x11, size));
		cr_assert(all_bytes(p + size, 0, size * 3 / 2 + 1 - size), "%zu of %zu", size, old);
	}
	kfree(p);
}

Test(krealloc, alignment)
{
	void *p = krealloc_node_align(NULL, 100, 512, GFP_KERNEL, NUMA_NO_NODE);

	cr_assert(is_aligned(p, 512));
	p = krealloc_node_align(p, 700, 1024, GFP_KERNEL, NUMA_NO_NODE);
	cr_assert(is_aligned(p, 1024));
	kfree(p);
}

Test(krealloc, failure_leaves_the_object)
{
	char *p = kmalloc(10, GFP_KERNEL);

	memcpy(p, "123456789", 10);
	cr_assert_null(krealloc(p, hide(KMALLOC_MAX_SIZE + 1), GFP_KERNEL | __GFP_NOWARN));
	cr_assert_str_eq(p, "123456789");
	kfree(p);
}

/* Pointers of all allocators are each other's citizens. */
Test(kfree, takes_anything)
{
	struct kmem_cache *s = kmem_cache_create("citizens", 40, 0, SLAB_NO_MERGE, NULL);
	int i;

	for (i = 0; i < 1000; i++) {
		kfree(malloc(hide(100)));
		kfree(malloc(hide(100000)));
		kfree(malloc(hide(9 * MIB)));
		kfree(kmem_cache_alloc(s, GFP_KERNEL));
		kfree(vmalloc(5000));
		free(kmalloc(100, GFP_KERNEL));
		free(kmem_cache_alloc(s, GFP_KERNEL));
		free(vmalloc(5000));
		kvfree(vmalloc(5000));
		kvfree(kmalloc(100, GFP_KERNEL));
	}
	cr_assert_eq(malloc_usable_size(NULL), 0);
	kmem_cache_shrink(s);
	kmem_cache_destroy(s);
	cr_assert_eq(kmalloc_slab_errors(), 0);
}

Test(kfree, sensitive_wipes)
{
	volatile char *p = kmalloc(100, GFP_KERNEL), *q;
	int i, dirty = 0;

	for (i = 0; i < 100; i++)
		p[i] = 0x77;
	kfree_sensitive((void *)p);
	q = kmalloc(100, GFP_KERNEL);
	for (i = 0; q == p && i < 100; i++)
		dirty += q[i] == 0x77;
	cr_assert_eq(dirty, 0);
	kfree((void *)q);
}

Test(kfree, bulk_of_mixed_caches)
{
	void *p[300];
	int i;

	for (i = 0; i < 300; i++)
		p[i] = kmalloc((size_t)i * 7 + 1, GFP_KERNEL);
	kfree_bulk(300, p);
}

struct message {
	int length;
	unsigned short words[];
};

Test(kmalloc, typed)
{
	struct message *m = kmalloc_flex(struct message, words, 100), *n;
	int *number = kzalloc_obj(int), *numbers = kzalloc_objs(*number, 50, GFP_KERNEL);

	cr_assert_geq(ksize(m), sizeof(*m) + 200);
	cr_assert(*number == 0 && all_bytes(numbers, 0, 50 * sizeof(int)));
	n = kvzalloc_flex(*n, words, hide(SIZE_MAX / 2), GFP_KERNEL | __GFP_NOWARN);
	cr_assert_null(n);
	kfree(m);
	kfree(number);
	kfree(numbers);
}

Test(kmalloc, cleanup_at_the_end_of_a_scope)
{
	void *seen;
	{
		void *p __free(kfree) = kmalloc(3000, GFP_KERNEL);
		void *q __free(kvfree) = kvmalloc(3000, GFP_KERNEL);

		seen = p;
		cr_assert(p && q);
	}
	cr_assert_eq(kmalloc(3000, GFP_KERNEL), seen, "the first one was freed last");
}

Test(kvmalloc, falls_back)
{
	char *p = kvmalloc(9 * MIB, GFP_KERNEL), *small = kvmalloc(100, GFP_KERNEL);

	cr_assert(p && is_vmalloc_addr(p) && !is_vmalloc_addr(small));
	memset(p, 1, 9 * MIB);
	p = kvrealloc(p, 20 * MIB, GFP_KERNEL | __GFP_ZERO);
	cr_assert(all_bytes(p, 1, 9 * MIB) && all_bytes(p + 9 * MIB, 0, 11 * MIB));
	kvfree_sensitive(p, 20 * MIB);
	kvfree(small);
	cr_assert_null(kvmalloc(hide(3ul << 30), GFP_KERNEL | __GFP_NOWARN));
	cr_assert_eq(kvrealloc(kvmalloc(10, GFP_KERNEL), 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

Test(kmalloc_nolock, flags_and_sizes)
{
	char *p = kmalloc_nolock(100, __GFP_ZERO, NUMA_NO_NODE);

	cr_assert(p && all_bytes(p, 0, 100));
	kfree_nolock(p);
	cr_assert_eq(kmalloc_nolock(0, 0, NUMA_NO_NODE), ZERO_SIZE_PTR);
	cr_assert_null(kmalloc_nolock(KMALLOC_MAX_CACHE_SIZE + 1, 0, NUMA_NO_NODE));
	cr_assert_null(kmalloc_nolock(10, GFP_KERNEL, NUMA_NO_NODE));
	kfree_nolock(NULL);
}

static void *mixed(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)&arg;
	void *held[200] = { NULL };
	int i;

	for (i = 0; i < 100000; i++) {
		unsigned at = (seed = seed * 1103515245 + 12345) >> 8 & 127;
		size_t size = seed >> 16 & 2047;

		kfree(held[at]);
		held[at] = kmalloc(size + 1, seed & 64 ? GFP_KERNEL : GFP_ATOMIC | __GFP_NOWARN);
		if (held[at])
			memset(held[at], (int)at, size + 1);
	}
	kfree_bulk(200, held);
	return NULL;
}

Test(kmalloc, threads)
{
	in_threads(mixed, NULL);
}

Test(buckets, of_ones_own)
{
	kmem_buckets *b = kmem_buckets_create("mine", 0, 0, 0, NULL);
	void *p = kmem_buckets_alloc(b, 100, GFP_KERNEL), *q = kmalloc(100, GFP_KERNEL);

	cr_assert(b && p && q);
	cr_assert_neq((uintptr_t)p >> 14, (uintptr_t)q >> 14, "different slabs");
	cr_assert_eq(kmem_buckets_alloc(b, 0, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(p);
	kfree(q);
	p = kmem_buckets_alloc(NULL, 100, GFP_KERNEL);
	cr_assert(p);
	kfree(p);
	p = kmem_buckets_valloc(b, 6 * MIB, GFP_KERNEL);
	cr_assert(is_vmalloc_addr(p));
	kvfree(p);
}
