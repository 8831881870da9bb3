/* SPDX-License-Identifier: MIT */
/*
 * Reading files without the C library's wrappers.
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>

#include "os/syscall.h"

int os_file_open(const char *path)
{
	return (int)os_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_NOCTTY,
			       0, 0, 0);
}

void os_file_close(int fd)
{
	os_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

size_t os_file_read(int fd, char *buf, size_t size)
{
	size_t used = 0;

	while (used < size) {
		long got = os_syscall(SYS_read, fd, (long)(buf + used), (long)(size - used),
				      0, 0, 0);

		if (got == -EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	return used;
}
