/* SPDX-License-Identifier: MIT */
/*
 * Flags of caches.  The values are part of the library's binary interface.
 */
#ifndef LIBKMALLOC_LINUX_SLAB_DEF_H
#define LIBKMALLOC_LINUX_SLAB_DEF_H

#include <linux/types.h>

/* Debugging: see slab_debug in libkmalloc(7). */
#define SLAB_CONSISTENCY_CHECKS	((slab_flags_t)0x00000001)	/* F */
#define SLAB_RED_ZONE		((slab_flags_t)0x00000002)	/* Z */
#define SLAB_POISON		((slab_flags_t)0x00000004)	/* P */
#define SLAB_STORE_USER		((slab_flags_t)0x00000008)	/* U */
#define SLAB_TRACE		((slab_flags_t)0x00000010)	/* T */
#define SLAB_FAILSLAB		((slab_flags_t)0x00000020)	/* A */

#define SLAB_HWCACHE_ALIGN	((slab_flags_t)0x00000040)	/* no shared cache lines */
#define SLAB_CACHE_DMA		((slab_flags_t)0x00000080)	/* objects below 4 GiB */
#define SLAB_CACHE_DMA32	((slab_flags_t)0x00000100)	/* objects below 4 GiB */
#define SLAB_PANIC		((slab_flags_t)0x00000200)	/* or end the process */
#define SLAB_TYPESAFE_BY_RCU	((slab_flags_t)0x00000400)	/* pages wait for readers */
#define SLAB_DESTROY_BY_RCU	SLAB_TYPESAFE_BY_RCU
#define SLAB_NO_MERGE		((slab_flags_t)0x00000800)	/* share slabs with nobody */
#define SLAB_RECLAIM_ACCOUNT	((slab_flags_t)0x00001000)	/* shrinkers free them */
#define SLAB_TEMPORARY		SLAB_RECLAIM_ACCOUNT
#define SLAB_NO_USER_FLAGS	((slab_flags_t)0x00002000)	/* slab_debug does not apply */
#define SLAB_KMALLOC		((slab_flags_t)0x00004000)	/* a cache of kmalloc */

/* Accepted without effect. */
#define SLAB_ACCOUNT		((slab_flags_t)0x00010000)
#define SLAB_MEM_SPREAD		((slab_flags_t)0)
#define SLAB_DEBUG_OBJECTS	((slab_flags_t)0)
#define SLAB_KASAN		((slab_flags_t)0)
#define SLAB_NOLEAKTRACE	((slab_flags_t)0x00020000)
#define SLAB_SKIP_KFENCE	((slab_flags_t)0x00040000)
#define SLAB_NO_OBJ_EXT		((slab_flags_t)0)

/* Of the kernels up to 2.6. */
#define SLAB_DEBUG_FREE		SLAB_CONSISTENCY_CHECKS
#define SLAB_DEBUG_INITIAL	((slab_flags_t)0x00100000)	/* SLAB_CTOR_VERIFY on free */
#define SLAB_NO_REAP		((slab_flags_t)0x00200000)	/* kmem_cache_reap passes it by */
#define SLAB_MUST_HWCACHE_ALIGN	SLAB_HWCACHE_ALIGN
#define SLAB_CTOR_CONSTRUCTOR	1ul
#define SLAB_CTOR_ATOMIC	2ul
#define SLAB_CTOR_VERIFY	4ul

#define SLAB_NO_GROW		KMALLOC_NO_GROW
#define SLAB_ATOMIC		GFP_ATOMIC
#define SLAB_KERNEL		GFP_KERNEL
#define SLAB_USER		GFP_USER
#define SLAB_BUFFER		GFP_BUFFER
#define SLAB_NOFS		GFP_NOFS
#define SLAB_NOIO		GFP_NOIO
#define SLAB_NFS		GFP_NFS
#define SLAB_DMA		GFP_DMA

/* What fills objects and the room around them; see slab_debug. */
#define POISON_INUSE		0x5a	/* never handed out yet, and padding */
#define POISON_FREE		0x6b	/* free */
#define POISON_END		0xa5	/* its last byte */
#define SLUB_RED_INACTIVE	0xbb
#define SLUB_RED_ACTIVE		0xcc

struct kmem_cache;

#endif
