/* SPDX-License-Identifier: MIT */
/*
 * Questions to the kernel that only reports and debugging ask.
 */
#include "os/os.h"

#include <sys/sysinfo.h>

#include "os/syscall.h"

uint32_t os_thread_id(void)
{
	return (uint32_t)os_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

int os_sysinfo(struct sysinfo *info)
{
	return (int)os_syscall(SYS_sysinfo, (long)info, 0, 0, 0, 0, 0);
}
