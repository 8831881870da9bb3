/* SPDX-License-Identifier: MIT */
/*
 * Questions to the kernel that only reports and debugging ask.
 */
#include "os/os.h"

#include <sys/sysinfo.h>

#include "os/syscall.h"

static __thread uint32_t own_id;

uint32_t os_thread_id(bool ask)
{
	if (unlikely(!own_id) && ask)
		own_id = (uint32_t)os_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	return own_id;
}

void os_fork_child(void)
{
	own_id = 0;
}

/* Where the C library (2.35 and later) has the kernel keep it up to date: no system call. */
extern const ptrdiff_t __rseq_offset __weak_ref;
extern const unsigned __rseq_size __weak_ref;

unsigned os_cpu(void)
{
	const uint32_t *rseq;

	if (!&__rseq_size || !__rseq_size)
		return 0;
	rseq = (const uint32_t *)((const char *)__builtin_thread_pointer() + __rseq_offset);
	return READ_ONCE(rseq[0]);
}

int os_sysinfo(struct sysinfo *info)
{
	return (int)os_syscall(SYS_sysinfo, (long)info, 0, 0, 0, 0, 0);
}
