/* SPDX-License-Identifier: MIT */
/*
 * GFP flags: what an allocation may do to get memory.  See gfp(3).
 *
 * The values are part of the library's binary interface, whatever the era of the kernel; compare
 * names, not numbers.
 */
#ifndef LIBKMALLOC_LINUX_GFP_TYPES_H
#define LIBKMALLOC_LINUX_GFP_TYPES_H

#include <linux/compiler.h>
#include <linux/types.h>

/* Where */
#define __GFP_DMA		((gfp_t)0x000001)	/* below 4 GiB: the same as DMA32 */
#define __GFP_HIGHMEM		((gfp_t)0x000002)	/* no meaning here */
#define __GFP_DMA32		((gfp_t)0x000004)	/* below 4 GiB */
#define __GFP_MOVABLE		((gfp_t)0x000008)	/* no meaning here */
#define __GFP_RECLAIMABLE	((gfp_t)0x000010)	/* a shrinker can free it */
#define GFP_ZONEMASK	(__GFP_DMA | __GFP_HIGHMEM | __GFP_DMA32 | __GFP_MOVABLE)

/* What may be done */
#define __GFP_HIGH		((gfp_t)0x000020)	/* use part of the reserve */
#define __GFP_IO		((gfp_t)0x000040)	/* told to shrinkers */
#define __GFP_FS		((gfp_t)0x000080)	/* told to shrinkers */
#define __GFP_ZERO		((gfp_t)0x000100)
#define __GFP_DIRECT_RECLAIM	((gfp_t)0x000400)	/* wait, map memory, run shrinkers */
#define __GFP_KSWAPD_RECLAIM	((gfp_t)0x000800)	/* have the reserve filled up again */
#define __GFP_WRITE		((gfp_t)0x001000)	/* no meaning here */
#define __GFP_NOWARN		((gfp_t)0x002000)	/* no message if it fails */
#define __GFP_RETRY_MAYFAIL	((gfp_t)0x004000)	/* try hard, whatever the size */
#define __GFP_NOFAIL		((gfp_t)0x008000)	/* try for ever */
#define __GFP_NORETRY		((gfp_t)0x010000)	/* one light attempt */
#define __GFP_MEMALLOC		((gfp_t)0x020000)	/* use all of the reserve */
#define __GFP_COMP		((gfp_t)0x040000)
#define __GFP_NOMEMALLOC	((gfp_t)0x080000)	/* use nothing of the reserve */
#define __GFP_HARDWALL		((gfp_t)0x100000)	/* no meaning here */
#define __GFP_THISNODE		((gfp_t)0x200000)	/* no meaning here */
#define __GFP_ACCOUNT		((gfp_t)0x400000)	/* no meaning here */
#define __GFP_ZEROTAGS		((gfp_t)0x800000)	/* no meaning here */
#define __GFP_SKIP_KASAN	((gfp_t)0x1000000)	/* no meaning here */
#define __GFP_NOLOCKDEP		((gfp_t)0x2000000)	/* no meaning here */
#define __GFP_NO_OBJ_EXT	((gfp_t)0x4000000)	/* no meaning here */

#define __GFP_BITS_SHIFT	27
#define __GFP_BITS_MASK		((gfp_t)((1u << __GFP_BITS_SHIFT) - 1))

#define __GFP_RECLAIM	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)

#define GFP_ATOMIC	(__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT	(__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)
#define GFP_NOIO	(__GFP_RECLAIM)
#define GFP_NOFS	(__GFP_RECLAIM | __GFP_IO)
#define GFP_USER	(__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HARDWALL)
#define GFP_DMA		__GFP_DMA
#define GFP_DMA32	__GFP_DMA32
#define GFP_HIGHUSER	(GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE	(GFP_HIGHUSER | __GFP_MOVABLE)
#define GFP_TRANSHUGE_LIGHT \
	((GFP_HIGHUSER_MOVABLE | __GFP_COMP | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_RECLAIM)
#define GFP_TRANSHUGE	(GFP_TRANSHUGE_LIGHT | __GFP_DIRECT_RECLAIM)
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)

#if KMALLOC_API >= 26
#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#else
/* Before 2.6 it might use the reserve. */
#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS | __GFP_HIGH)
#define GFP_BUFFER	(GFP_NOIO | __GFP_HIGH)
#define GFP_NOBUFFER	GFP_NOIO
#define GFP_NFS		GFP_KERNEL
#define GFP_KSWAPD	(__GFP_IO)
#endif

#if KMALLOC_API <= 26
#define __GFP_WAIT	__GFP_RECLAIM
#define __GFP_REPEAT	__GFP_RETRY_MAYFAIL
#define __GFP_COLD	((gfp_t)0)
#define __GFP_NO_GROW	KMALLOC_NO_GROW
#endif

/* Of the kernels up to 2.6: no new slab, only what caches have. */
#define KMALLOC_NO_GROW	((gfp_t)0x8000000)

#endif
