/* SPDX-License-Identifier: MIT */
/*
 * The table of kmalloc caches.
 *
 * Powers of two are the spine, because they are naturally aligned; what stands between them is
 * the user's choice (option size_classes), and costs nothing at run time, since a request finds its
 * class in a table anyway.  With steps of a quarter, a request wastes at most a fifth of its
 * object, 9 % on average over real programs; with powers of two alone it is 31 %.
 *
 * Invariants: class sizes ascend and are multiples of 16; above 1024 multiples of 256, so that
 * class_of_large needs one entry for 256 bytes; every power of two from 16 to the largest is a
 * class.  The steps between two powers of two are equal: so the class of a multiple of a power of
 * two is one as well (size_class_aligned), be it a step's multiple or smaller than one.
 */
#include "kmalloc/sizes.h"

#include "lib/bits.h"
#include "lib/bug.h"
#include "lib/fmt.h"
#include "os/options.h"

uint32_t max_class_size;
uint8_t class_of_large[MAX_CLASS_SIZE / 256];

#define NAME_SIZE	16

static char names[NR_KMALLOC_CLASSES + 1][NAME_SIZE];

static void add_class(unsigned class, size_t size)
{
	if (size >= 1024 && size % 1024 == 0)
		fmt_snprint(names[class], NAME_SIZE, "kmalloc-%zuk", size / 1024);
	else
		fmt_snprint(names[class], NAME_SIZE, "kmalloc-%zu", size);
	cache_init(&kmalloc_caches[class], names[class], size, 16, (uint8_t)class);
	magazine_setup(&kmalloc_caches[class]);
	max_class_size = (uint32_t)size;
}

static size_t next_pow2(size_t size)
{
	return size * 2;
}

/* The kernel's set: 96 and 192 are the only steps between powers of two; no cache above 8 KiB. */
static size_t next_kernel(size_t size)
{
	switch (size) {
	case 64:
		return 96;
	case 96:
		return 128;
	case 128:
		return 192;
	case 192:
		return 256;
	case 8192:
		return SIZE_MAX;
	default:
		return size * 2;
	}
}

static size_t next_step(size_t size, size_t parts)
{
	return size + max(((size_t)1 << ilog2(size)) / parts, (size_t)16);
}

static size_t next_size(unsigned setting, size_t size)
{
	switch (setting) {
	case SIZE_CLASSES_POW2:
		return next_pow2(size);
	case SIZE_CLASSES_KERNEL:
		return next_kernel(size);
	case SIZE_CLASSES_MID:
		return next_step(size, 2);
	default:
		return next_step(size, size < 128 ? 8 : 4);
	}
}

static void fill_tables(unsigned nr)
{
	unsigned class = 1, i;

	for (i = 1; i < SIZE_STEPS; i++) {
		while (kmalloc_caches[class].size < i * 16)
			class++;
		thread_class_of[i] = (uint8_t)class;
	}
	for (i = 1024 / 256; i < max_class_size / 256; i++) {
		while (kmalloc_caches[class].size < (i + 1) * 256)
			class++;
		class_of_large[i] = (uint8_t)class;
	}
	BUG_ON(class > nr);
}

void sizes_init(unsigned setting)
{
	unsigned class = 0;
	size_t size;

	for (size = 16; size <= MAX_CLASS_SIZE; size = next_size(setting, size))
		add_class(++class, size);
	BUG_ON(class > NR_KMALLOC_CLASSES);
	fill_tables(class);
}
