/* SPDX-License-Identifier: MIT */
/*
 * The compiler vocabulary of the library: branch hints, function attributes,
 * small type-safe macros.  Nothing here depends on the C library.
 */
#ifndef LIB_COMPILER_H
#define LIB_COMPILER_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define UNDER_TSAN
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define __cold		__attribute__((cold, noinline))
#define __slow		__attribute__((noinline))
#define __export	__attribute__((visibility("default")))
/* On declarations of data: saves the detour through the global offset table. */
#define __hidden	__attribute__((visibility("hidden")))
#define __weak_ref	__attribute__((weak))
#define __unused	__attribute__((unused))

#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min(a, b) __extension__ ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b) __extension__ ({ __auto_type a_ = (a); __auto_type b_ = (b); a_ > b_ ? a_ : b_; })

/* The compiler forgets how this variable was computed. */
#define OPAQUE(x)	__asm__("" : "+r"(x))

/* The same for what a function will return: computed where results go, not moved there. */
#if defined(__x86_64__)
#define OPAQUE_RESULT(x) __asm__("" : "+a"(x))
#else
#define OPAQUE_RESULT(x) OPAQUE(x)
#endif

/*
 * In a function between the program and slab debugging: it keeps its caller's frame pointer where
 * whoever walks the stack finds it.  For slow paths.
 */
#define KEEP_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))

/* And for an index that is used again after the result: not in the result's register. */
#if defined(__x86_64__)
#define OPAQUE_INDEX(x)	__asm__("" : "+S"(x))
#else
#define OPAQUE_INDEX(x)	OPAQUE(x)
#endif

#define CACHE_LINE	64

/* A value that other threads change and where any recent value will do. */
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/*
 * For functions that look at memory which may be anything by now, bound to check or to tolerate
 * what they find.  ThreadSanitizer would be right about them; inside, RACY_READ reads exactly once.
 */
#define __racy		__attribute__((no_sanitize("thread")))
#define RACY_READ(x)	(*(const volatile __typeof__(x) *)&(x))

/* A counter that is written under a lock and read without. */
#define ADD_ONCE(x, n)	WRITE_ONCE(x, (x) + (n))
#define SUB_ONCE(x, n)	WRITE_ONCE(x, (x) - (n))

/* The same for objects declared _Atomic. */
#define ATOMIC_READ(x)	atomic_load_explicit(&(x), memory_order_relaxed)
#define ATOMIC_WRITE(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

#endif
