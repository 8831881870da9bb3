/* SPDX-License-Identifier: MIT */
/*
 * A module whose init function is the program, for kernel files that are compiled as they are.
 */
#ifndef STUBS_LINUX_MODULE_H
#define STUBS_LINUX_MODULE_H

#include <linux/init.h>
#include <linux/kernel.h>
#if __has_include(<urcu.h>)
#include <linux/rcupdate.h>
#endif
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <stdlib.h>
#include <string.h>

#define KBUILD_MODNAME	"test"
/* With LIBRARY_MODULE it runs before a main() from elsewhere. */
#ifdef LIBRARY_MODULE
#define module_init(fn)	__attribute__((constructor)) static void stub_start(void) { fn(); } \
			extern int stub_init
#else
#define module_init(fn)	int main(void) { return fn() ? 1 : 0; } extern int stub_init
#endif
#define module_exit(fn)	extern int stub_exit
#define MODULE_LICENSE(text)	extern int stub_licence
#define MODULE_AUTHOR(text)	extern int stub_author
#define MODULE_DESCRIPTION(text)	extern int stub_description
#define EXPORT_SYMBOL_GPL(name)	extern int stub_export_##name
#ifndef MAX
#define MAX(a, b)	((a) > (b) ? (a) : (b))
#endif
#ifndef min
#define min(a, b)	((a) < (b) ? (a) : (b))
#endif

#undef pr_info
#define pr_info(...)	printf("# " __VA_ARGS__)

#endif
