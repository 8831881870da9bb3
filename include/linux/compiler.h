/* SPDX-License-Identifier: MIT */
/*
 * Attributes and small macros that kernel code writes everywhere.
 */
#ifndef LIBKMALLOC_LINUX_COMPILER_H
#define LIBKMALLOC_LINUX_COMPILER_H

#ifndef KMALLOC_BUILDING

#ifndef likely
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#endif

#ifndef READ_ONCE
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) \
	__extension__ ({ *(volatile __typeof__(x) *)&(x) = (val); })
#endif

#ifndef barrier
#define barrier()	__asm__ __volatile__("" ::: "memory")
#endif

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif

#ifndef __must_check
#define __must_check	__attribute__((warn_unused_result))
#endif

#ifndef __maybe_unused
#define __maybe_unused	__attribute__((unused))
#endif


#endif /* KMALLOC_BUILDING */

/* On functions that return new memory. */
#define __km_check		__attribute__((warn_unused_result))
#define __km_malloc		__attribute__((malloc))
#define __km_size(n)		__attribute__((malloc, alloc_size(n)))
#define __km_size2(n, m)	__attribute__((malloc, alloc_size(n, m)))

#ifdef __cplusplus
#define KM_BEGIN_DECLS	extern "C" {
#define KM_END_DECLS	}
#else
#define KM_BEGIN_DECLS
#define KM_END_DECLS
#endif

/*
 * The era whose interface the headers show: 20, 22, 24 or 26 for the kernels 2.0, 2.2, 2.4 and
 * 2.6, anything larger for today's.
 */
#ifndef KMALLOC_API
#define KMALLOC_API	70
#endif

#endif
