/* SPDX-License-Identifier: MIT */
/*
 * Sections of start-up code: none here.
 */
#ifndef LIBKMALLOC_LINUX_INIT_H
#define LIBKMALLOC_LINUX_INIT_H

#define __init
#define __exit
#define __initdata
#define __exitdata

#endif
