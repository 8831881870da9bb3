/* SPDX-License-Identifier: MIT */
/*
 * BUG and WARN: a line on standard error; BUG ends the process.
 */
#ifndef LIBKMALLOC_LINUX_BUG_H
#define LIBKMALLOC_LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/types.h>

KM_BEGIN_DECLS

/* "WARNING: at file:line function()" or "kernel BUG at file:line!", through write(2). */
bool kmalloc_warned(const char *file, int line, const char *function);
void kmalloc_bug(const char *file, int line) __attribute__((noreturn));

KM_END_DECLS

#ifndef KMALLOC_BUILDING

#ifndef BUG
#define BUG()		kmalloc_bug(__FILE__, __LINE__)
#define BUG_ON(cond)	do { if (unlikely(cond)) BUG(); } while (0)
#endif

#ifndef WARN_ON
#define WARN_ON(cond) \
	(unlikely(!!(cond)) && kmalloc_warned(__FILE__, __LINE__, __func__))
#define WARN_ON_ONCE(cond) __extension__ ({ \
	static bool km_warned_; \
	bool km_cond_ = !!(cond); \
	if (unlikely(km_cond_) && !km_warned_) { \
		km_warned_ = true; \
		kmalloc_warned(__FILE__, __LINE__, __func__); \
	} \
	unlikely(km_cond_); \
})
#define WARN(cond, ...)		WARN_ON(cond)
#define WARN_ONCE(cond, ...)	WARN_ON_ONCE(cond)
#endif

#ifndef BUILD_BUG_ON
#define BUILD_BUG_ON(cond)	((void)sizeof(char[1 - 2 * !!(cond)]))
#endif

#endif /* KMALLOC_BUILDING */

#endif
