/* SPDX-License-Identifier: MIT */
/*
 * The small things that kernel code expects of <linux/kernel.h>, beside the system's own.
 */
#pragma GCC system_header

#if __has_include_next(<linux/kernel.h>)
#include_next <linux/kernel.h>
#endif

/* The C library includes this header in <sys/sysinfo.h>, and wants none of the following. */
#if !defined(LIBKMALLOC_LINUX_KERNEL_H) && !defined(_SYS_SYSINFO_H) && !defined(KMALLOC_BUILDING)
#define LIBKMALLOC_LINUX_KERNEL_H

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include <errno.h>
#include <stdio.h>

#ifndef BITS_PER_LONG
#define BITS_PER_LONG	64
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

#ifndef KERN_INFO
#define KERN_EMERG	""
#define KERN_ALERT	""
#define KERN_CRIT	""
#define KERN_ERR	""
#define KERN_WARNING	""
#define KERN_NOTICE	""
#define KERN_INFO	""
#define KERN_DEBUG	""
#define KERN_CONT	""
#endif

#ifndef printk
#define printk(...)	fprintf(stderr, __VA_ARGS__)
#define pr_err(...)	fprintf(stderr, __VA_ARGS__)
#define pr_warn(...)	fprintf(stderr, __VA_ARGS__)
#define pr_info(...)	fprintf(stderr, __VA_ARGS__)
#endif

#ifndef ALIGN
#define ALIGN(x, a)	(((x) + (__typeof__(x))(a) - 1) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define PTR_ALIGN(p, a)	((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#endif

#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#endif

#endif
