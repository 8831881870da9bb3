/* SPDX-License-Identifier: MIT */
/*
 * Address space below 4 GiB, which the kernel gives only to those who ask for a certain address:
 * addresses are tried upwards from 256 MiB.
 */
#include "os/os.h"

#include <sys/mman.h>

#include "os/syscall.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000	/* Linux 4.17; older kernels take it as a hint */
#endif

#define FIRST_TRY	((uintptr_t)256 << 20)
#define LAST_TRY	((uintptr_t)4 << 30)

static void *reserve_at(uintptr_t addr, size_t size)
{
	long ret = os_syscall(SYS_mmap, (long)addr, (long)size, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
			      -1, 0);

	if ((unsigned long)ret >= -4095ul)
		return NULL;
	if ((uintptr_t)ret == addr)
		return (void *)ret;
	os_unmap((void *)ret, size);
	return NULL;
}

void *os_reserve_low(size_t size, size_t align)
{
	uintptr_t addr;
	void *map = NULL;

	for (addr = FIRST_TRY; addr + size <= LAST_TRY && !map; addr += align > size ? align : size)
		map = reserve_at(addr, size);
	return map;
}
