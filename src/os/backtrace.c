/* SPDX-License-Identifier: MIT */
/*
 * Who called?  The chain of frame pointers, from a function that the program called.
 *
 * Code that was compiled without frame pointers has something else in the register, so nothing is
 * believed: each frame must lie above the one before, not far, and in memory that can be read.
 * Whether it is mapped, madvise() tells, which the C library's malloc uses as well: the advice is
 * none.  What is mapped but cannot be read, os_probe finds out.
 * The first return address is always right, since the caller of this gets it from the compiler.
 *
 * References: System V ABI, x86-64, 3.2.2; AAPCS64, 6.4.6: a frame is the address of the next one
 * and a return address, on both.
 */
#include "os/backtrace.h"

#include <sys/mman.h>

#include "lib/bits.h"
#include "os/fault.h"
#include "os/os.h"
#include "os/syscall.h"

#define MAX_FRAME	((uintptr_t)256 << 10)

struct frame {
	struct frame *next;
	const void *pc;
};

static bool is_mapped(uintptr_t page)
{
	return !os_syscall(SYS_madvise, (long)page, (long)PAGE_SIZE, MADV_NORMAL, 0, 0, 0);
}

/* The page that ends at @known, and its neighbours from the first frame on, may be read. */
static bool may_be_read(uintptr_t addr, uintptr_t *known)
{
	uintptr_t page = align_down(addr, PAGE_SIZE);

	uintptr_t end = align_up(addr + sizeof(struct frame), PAGE_SIZE);

	if (end <= *known)
		return true;
	if (!is_mapped(page) || !is_mapped(end - PAGE_SIZE))
		return false;
	*known = end;
	return true;
}

static bool may_follow(uintptr_t addr, uintptr_t frame)
{
	return addr > frame && addr - frame < MAX_FRAME && addr % sizeof(void *) == 0;
}

unsigned os_backtrace(const void **pcs, unsigned n, const void *pc, const void *fp)
{
	uintptr_t addr = (uintptr_t)fp, before = (uintptr_t)__builtin_frame_address(0);
	uintptr_t known = align_up(before + 1, PAGE_SIZE);
	unsigned i = 0;

	while (i < n && pc) {
		pcs[i++] = pc;
		if (!may_follow(addr, before) || !may_be_read(addr, &known))
			break;
		before = addr;
		if (!os_probe(&((struct frame *)before)->next, &addr) ||
		    !os_probe(&((struct frame *)before)->pc, (uintptr_t *)&pc))
			break;
	}
	return i;
}
