/* SPDX-License-Identifier: MIT */
/*
 * The option "limit": a ceiling on the pages that the library may make resident.
 *
 * A page is charged when it is handed out clean (its first touch makes it resident) and
 * uncharged when it was given back to the system.  Free dirty pages therefore stay charged: they
 * are purged before a request fails.
 */
#ifndef MM_LIMIT_H
#define MM_LIMIT_H

#include "lib/compiler.h"

extern size_t limit_pages;		/* 0: no ceiling; set once at start */
extern _Atomic size_t charged_pages;

/* Would a charge of @pages fail? */
static inline bool limit_reached(size_t pages)
{
	return limit_pages && ATOMIC_READ(charged_pages) + pages > limit_pages;
}

static inline bool limit_charge(size_t pages)
{
	size_t now;

	if (likely(!limit_pages))
		return true;
	now = atomic_fetch_add_explicit(&charged_pages, pages, memory_order_relaxed) + pages;
	if (likely(now <= limit_pages))
		return true;
	atomic_fetch_sub_explicit(&charged_pages, pages, memory_order_relaxed);
	return false;
}

static inline void limit_charge_anyway(size_t pages)
{
	if (unlikely(limit_pages))
		atomic_fetch_add_explicit(&charged_pages, pages, memory_order_relaxed);
}

static inline void limit_uncharge(size_t pages)
{
	if (unlikely(limit_pages))
		atomic_fetch_sub_explicit(&charged_pages, pages, memory_order_relaxed);
}

#endif
