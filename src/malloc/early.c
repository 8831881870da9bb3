/* SPDX-License-Identifier: MIT */
/*
 * Allocation while the dynamic linker is still relocating.
 *
 * Resolvers of a program's indirect functions may allocate.  They run before the initial thread
 * storage is copied into place, so thread_tls is all zero, its tops too.  This file has an indirect
 * function of its own: its resolver runs with the relocation of this library, before that of the
 * program, and puts the tops where they belong.  What is written there is overwritten by the
 * initial storage later, which is why a thread in THREAD_EARLY works without magazines.
 */
#include "malloc/malloc.h"

#if defined(__has_attribute)
#if __has_attribute(ifunc)
#define HAVE_IFUNC
#endif
#endif

#if defined(HAVE_IFUNC)

void early_start(void);

static void nothing(void)
{
}

static __attribute__((used)) void (*set_tops(void))(void)
{
	unsigned i;

	if (thread_tls.state == THREAD_EARLY)
		for (i = 0; i < NR_MAP_VALUES; i++)
			thread_tls.top[i] = NO_TOP;
	return nothing;
}

void __attribute__((ifunc("set_tops"), visibility("hidden"))) early_start(void);

/* A reference, so that the linker keeps the indirect function. */
static void __attribute__((constructor)) keep_early_start(void)
{
	early_start();
}

#endif
