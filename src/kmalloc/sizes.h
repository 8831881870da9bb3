/* SPDX-License-Identifier: MIT */
/*
 * Size classes: which kmalloc cache serves a request.
 */
#ifndef KMALLOC_SIZES_H
#define KMALLOC_SIZES_H

#include "lib/bits.h"
#include "magazine/thread.h"

#define MAX_CLASS_SIZE	(32u << 10)

extern uint32_t max_class_size __hidden;	/* larger requests get pages */
/* By (size - 1) / 256, for 1024 < size. */
extern uint8_t class_of_large[MAX_CLASS_SIZE / 256] __hidden;

/*
 * Makes the table and the caches for one of the settings SIZE_CLASSES_* of os/options.h.  Once,
 * before the first thread.
 */
void sizes_init(unsigned setting);

/* The class for 1 … max_class_size bytes. */
static inline unsigned size_class(size_t size)
{
	return size <= 1024 ? thread_class_of[(size + 15) / 16] : class_of_large[(size - 1) / 256];
}

/*
 * The smallest class that holds @size at a multiple of @align (a power of two); 0 if none does.
 * Objects lie at multiples of their size from the start of a slab, which is aligned to 16 KiB.
 */
static inline unsigned size_class_aligned(size_t size, size_t align)
{
	size = align_up(max(size, (size_t)1), align);
	return size - 1 < max_class_size && align <= GRANULE_SIZE ? size_class(size) : 0;
}

#endif
