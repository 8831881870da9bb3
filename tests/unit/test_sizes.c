/* SPDX-License-Identifier: MIT */
/*
 * Size classes: every size up to 1 MiB, in all four settings. The class holds it and is the
 * smallest that does; alignment is natural; what is wasted stays within the setting's promise.
 */
#include "unit.h"

#include <criterion/parameterized.h>

#include "kmalloc/sizes.h"
#include "lib/bits.h"
#include "mm/zone.h"
#include "os/options.h"

TestSuite(sizes, .timeout = 60);

struct setting {
	const char *name;
	unsigned value, nr, largest;
	unsigned above;			/* sizes above this one waste at most ... */
	unsigned waste;			/* ... this percentage of what was asked for */
};

static struct setting settings[] = {
	{ "pow2", SIZE_CLASSES_POW2, 12, 32768, 16, 100 },
	{ "kernel", SIZE_CLASSES_KERNEL, 12, 8192, 16, 100 },
	{ "mid", SIZE_CLASSES_MID, 22, 32768, 32, 50 },
	{ "quarter", SIZE_CLASSES_QUARTER, 40, 32768, 128, 25 },
};

#define FOR_ALL_SETTINGS(name)							\
	ParameterizedTestParameters(sizes, name)				\
	{									\
		return cr_make_param_array(struct setting, settings, 4);	\
	}									\
	ParameterizedTest(struct setting *set, sizes, name)

static unsigned count_classes(void)
{
	unsigned nr = 0;

	while (nr < NR_KMALLOC_CLASSES && kmalloc_caches[nr + 1].size)
		nr++;
	return nr;
}

FOR_ALL_SETTINGS(table_is_the_setting)
{
	unsigned nr;

	sizes_init(set->value);
	nr = count_classes();
	cr_assert(nr == set->nr, "%s: %u classes", set->name, nr);
	cr_assert(max_class_size == set->largest, "%s", set->name);
	cr_assert(kmalloc_caches[1].size == 16 && kmalloc_caches[nr].size == set->largest);
	for (unsigned c = 2; c <= nr; c++)
		cr_assert(kmalloc_caches[c].size > kmalloc_caches[c - 1].size, "%s", set->name);
	for (unsigned c = 1; c <= nr; c++) {
		cr_assert(kmalloc_caches[c].map_value == c, "%s", set->name);
		cr_assert(kmalloc_caches[c].object_size == kmalloc_caches[c].size);
	}
}

static void expect_smallest(const struct setting *set, size_t size)
{
	unsigned class = size_class(size);

	cr_assert(class >= 1 && class <= set->nr, "%s: %zu", set->name, size);
	cr_assert(kmalloc_caches[class].size >= size, "%s: %zu", set->name, size);
	cr_assert(class == 1 || kmalloc_caches[class - 1].size < size, "%s: %zu", set->name, size);
	cr_assert(size_class_aligned(size, 1) == class, "%s: %zu", set->name, size);
	if (size > set->above)
		cr_assert((kmalloc_caches[class].size - size) * 100 < size * set->waste,
			  "%s: %zu in %u", set->name, size, kmalloc_caches[class].size);
	else
		cr_assert(kmalloc_caches[class].size - size < max(16u, set->above == 128 ? 0 : size),
			  "%s: %zu in %u", set->name, size, kmalloc_caches[class].size);
}

FOR_ALL_SETTINGS(every_size_gets_the_smallest_class_that_holds_it)
{
	sizes_init(set->value);
	for (size_t size = 1; size <= set->largest; size++)
		expect_smallest(set, size);
	for (size_t size = set->largest + 1; size <= (size_t)1 << 20; size++)
		cr_assert(size_class_aligned(size, 1) == 0, "%s: %zu", set->name, size);
}

/* Which is what the kernel promises for powers of two, and more. */
FOR_ALL_SETTINGS(powers_of_two_are_classes_of_their_own)
{
	sizes_init(set->value);
	for (size_t size = 16; size <= set->largest; size *= 2) {
		unsigned class = size_class(size);

		cr_assert(kmalloc_caches[class].size == size, "%s: %zu", set->name, size);
		cr_assert(size_class_aligned(size, min(size, GRANULE_SIZE)) == class,
			  "%s: %zu", set->name, size);
	}
}

static unsigned naive_aligned(const struct setting *set, size_t size, size_t align)
{
	for (unsigned c = 1; align <= GRANULE_SIZE && c <= set->nr; c++)
		if (kmalloc_caches[c].size >= size && kmalloc_caches[c].size % align == 0)
			return c;
	return 0;
}

FOR_ALL_SETTINGS(aligned_sizes_get_the_smallest_class_that_is)
{
	sizes_init(set->value);
	for (size_t align = 1; align <= 65536; align *= 2)
		for (size_t size = 1; size <= 40000; size += size < 2000 ? 1 : 13)
			cr_assert(size_class_aligned(size, align) ==
				  naive_aligned(set, size, align),
				  "%s: %zu at %zu", set->name, size, align);
}

static void expect_geometry(const struct kmem_cache *s)
{
	size_t slab = PAGE_SIZE << s->order;

	cr_assert((size_t)s->objects * s->size <= slab, "%s", s->name);
	cr_assert(s->objects >= 5 && s->objects <= MAX_SLAB_OBJECTS, "%s", s->name);
	cr_assert(slab - (size_t)s->objects * s->size <= slab / 16, "%s", s->name);
	for (size_t offset = 0; offset < slab; offset++)
		cr_assert(slab_index(s, offset) == offset / s->size, "%s: %zu", s->name, offset);
}

FOR_ALL_SETTINGS(slabs_hold_a_few_objects_and_waste_little)
{
	sizes_init(set->value);
	for (unsigned c = 1; c <= set->nr; c++)
		expect_geometry(&kmalloc_caches[c]);
}

FOR_ALL_SETTINGS(names_are_the_kernels)
{
	sizes_init(set->value);
	for (unsigned c = 1; c <= set->nr; c++) {
		unsigned size = kmalloc_caches[c].size;
		char name[32];

		snprintf(name, sizeof(name), size % 1024 ? "kmalloc-%u" : "kmalloc-%uk",
			 size % 1024 ? size : size / 1024);
		cr_assert_str_eq(kmalloc_caches[c].name, name);
	}
}
