/* SPDX-License-Identifier: MIT */
/*
 * The kernel's basic types, on top of the system's own <linux/types.h>.
 */
#ifndef LIBKMALLOC_LINUX_TYPES_H
#define LIBKMALLOC_LINUX_TYPES_H

#pragma GCC system_header

#if __has_include_next(<linux/types.h>)
#include_next <linux/types.h>
#endif

#include <stddef.h>
#include <stdint.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif

/* Not from <sys/types.h>, behind which the system's <linux/time.h> cannot be included. */
typedef __kernel_ssize_t ssize_t;

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* A set of __GFP_ bits, and one of SLAB_ bits. */
typedef unsigned int gfp_t;
typedef unsigned int slab_flags_t;

typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

#ifndef KMALLOC_BUILDING
struct list_head {
	struct list_head *next, *prev;
};
#endif

#endif
