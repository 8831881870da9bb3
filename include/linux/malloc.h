/* SPDX-License-Identifier: MIT */
/*
 * Where kmalloc was declared up to Linux 2.2.
 */
#ifndef LIBKMALLOC_LINUX_MALLOC_H
#define LIBKMALLOC_LINUX_MALLOC_H

#include <linux/slab.h>

#endif
