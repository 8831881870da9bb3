/* SPDX-License-Identifier: MIT */
/*
 * RCU comes from liburcu, which has the kernel's names.
 */
#ifndef LIBKMALLOC_LINUX_RCUPDATE_H
#define LIBKMALLOC_LINUX_RCUPDATE_H

#if !__has_include(<urcu.h>)
#error "<linux/rcupdate.h> needs liburcu (liburcu-dev): link the program with -lurcu"
#endif

#include <urcu.h>

#endif
