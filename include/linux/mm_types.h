/* SPDX-License-Identifier: MIT */
/*
 * struct page: one for each page that the library manages.
 */
#ifndef LIBKMALLOC_LINUX_MM_TYPES_H
#define LIBKMALLOC_LINUX_MM_TYPES_H

#include <linux/types.h>

struct page;

#ifndef KMALLOC_BUILDING

/*
 * Of an allocated page, lru, mapping, private, index and flags belong to whoever allocated it;
 * the rest is the library's.
 */
struct page {
	unsigned long km_state;
	struct list_head lru;
	void *mapping;
	unsigned int km_slab;
	int _refcount;
#ifdef __cplusplus
	unsigned long private_;
#else
	unsigned long private;
#endif
	unsigned long index;
	unsigned long flags;
};

#ifdef __cplusplus
#define page_private(page)		((page)->private_)
#else
#define page_private(page)		((page)->private)
#endif
#define set_page_private(page, v)	((void)(page_private(page) = (v)))

#endif

#endif
