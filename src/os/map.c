/* SPDX-License-Identifier: MIT */
/*
 * Address space and memory from the kernel.
 *
 * After start only calls that the C library's own malloc makes are used (mmap, munmap, mremap,
 * mprotect, madvise): a program under a seccomp filter would be killed for any other.
 */
#include "os/os.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/bits.h"
#include "os/syscall.h"

static bool is_error(long ret)
{
	return (unsigned long)ret >= -4095ul;
}

static void *map_nothing(size_t size)
{
	long ret = os_syscall(SYS_mmap, 0, (long)size, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return is_error(ret) ? NULL : (void *)ret;
}

int os_unmap(void *addr, size_t size)
{
	return size ? (int)os_syscall(SYS_munmap, (long)addr, (long)size, 0, 0, 0, 0) : 0;
}

/* The kernel aligns to pages only: map more than asked for and cut off both ends. */
void *os_reserve(size_t size, size_t align)
{
	size_t slack = align > PAGE_SIZE ? align - PAGE_SIZE : 0;
	char *map, *start;

	if (size + slack < size)
		return NULL;
	map = map_nothing(size + slack);
	if (!map)
		return NULL;
	start = (char *)align_up((uintptr_t)map, align);
	os_unmap(map, (size_t)(start - map));
	os_unmap(start + size, slack - (size_t)(start - map));
	return start;
}

int os_commit(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mprotect, (long)addr, (long)size, PROT_READ | PROT_WRITE,
			       0, 0, 0);
}

int os_protect(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mprotect, (long)addr, (long)size, PROT_NONE, 0, 0, 0);
}

int os_seal(void *addr, size_t size)
{
	return (int)os_syscall(SYS_mprotect, (long)addr, (long)size, PROT_READ, 0, 0, 0);
}

static int advise(void *addr, size_t size, int advice)
{
	return (int)os_syscall(SYS_madvise, (long)addr, (long)size, advice, 0, 0, 0);
}

int os_purge(void *addr, size_t size)
{
	return advise(addr, size, MADV_DONTNEED);
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23	/* Linux 5.14; older kernels answer EINVAL */
#endif

int os_populate(void *addr, size_t size)
{
	return advise(addr, size, MADV_POPULATE_WRITE);
}

void os_hugepage(void *addr, size_t size, bool wanted)
{
	advise(addr, size, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

int os_move(void *from, size_t from_size, void *to, size_t to_size)
{
	long ret = os_syscall(SYS_mremap, (long)from, (long)from_size, (long)to_size,
			      MREMAP_MAYMOVE | MREMAP_FIXED, (long)to, 0);

	return is_error(ret) ? (int)ret : 0;
}

size_t os_address_space_limit(void)
{
	struct rlimit limit;

	if (os_syscall(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit, 0, 0) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	return limit.rlim_cur;
}
