/* SPDX-License-Identifier: MIT */
/*
 * What inject (the supervisor) and victim (the program that it makes suffer) agree on.
 *
 * The victim speaks to its supervisor by system calls that mean nothing to the kernel: madvise on
 * the odd address INJECT_MAGIC. Without a supervisor they fail with EINVAL.
 */
#ifndef TESTS_INJECT_H
#define TESTS_INJECT_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INJECT_MAGIC	0x1051

/* Which calls fail. Bits, so that several may. */
enum inject_call {
	INJECT_MMAP = 1 << 0,
	INJECT_MUNMAP = 1 << 1,
	INJECT_MPROTECT = 1 << 2,
	INJECT_MADVISE = 1 << 3,
	INJECT_MREMAP = 1 << 4,
	INJECT_CLONE = 1 << 5,
	INJECT_SIGACTION = 1 << 6,
	INJECT_ALL = (1 << 7) - 1,
};

#define INJECT_CALLS	7

enum inject_op {
	INJECT_OP_ARM = 1,	/* first, count, calls: of these calls the first-th and on fail */
	INJECT_OP_DISARM,	/* returns how many failed since the supervisor was armed */
	INJECT_OP_REACHED,	/* returns how many there were since then */
};

static inline long inject_control(enum inject_op op, uint32_t first, uint32_t count, uint32_t calls)
{
	return syscall(SYS_madvise, INJECT_MAGIC, op, first, count, calls, 0);
}

#endif /* TESTS_INJECT_H */
