/* SPDX-License-Identifier: MIT */
/*
 * Scopes of a thread: memalloc_noio_save() and its kin are in <linux/gfp.h>.
 */
#ifndef LIBKMALLOC_LINUX_SCHED_MM_H
#define LIBKMALLOC_LINUX_SCHED_MM_H

#include <linux/gfp.h>
#include <linux/mm.h>

#endif
