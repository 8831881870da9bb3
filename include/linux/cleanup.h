/* SPDX-License-Identifier: MIT */
/*
 * Clean-up at the end of a scope: void *p __free(kfree) = kmalloc(...).
 */
#ifndef LIBKMALLOC_LINUX_CLEANUP_H
#define LIBKMALLOC_LINUX_CLEANUP_H

#include <linux/compiler.h>

#define DEFINE_FREE(name, type, free_it) \
	static inline __attribute__((unused)) void __free_##name(void *km_place_) \
	{ \
		type _T = *(type *)km_place_; \
		free_it; \
	}

#define __free(name)	__attribute__((cleanup(__free_##name)))

/* The value, and the variable no longer owns it. */
#define no_free_ptr(p) __extension__ ({ \
	__typeof__(p) km_value_ = (p); \
	(p) = NULL; \
	km_value_; \
})
#define return_ptr(p)	return no_free_ptr(p)

#endif
