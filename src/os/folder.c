/* SPDX-License-Identifier: MIT */
/*
 * Folders and files for os/folder.h.  The C library's wrappers are cancellation points and may be
 * overridden by the program; these are neither.
 *
 * Locks: none.  State: none.
 */
#include "os/folder.h"

#include <errno.h>
#include <fcntl.h>

#include "os/syscall.h"

#define FOLDER_FLAGS	(O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define FILE_FLAGS	(O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)

static int open_at(int folder, const char *name, int flags)
{
	return (int)os_syscall(SYS_openat, folder, (long)name, flags, 0644, 0, 0);
}

int os_folder_open(const char *path)
{
	return open_at(AT_FDCWD, path, FOLDER_FLAGS);
}

int os_folder_enter(int folder, const char *name)
{
	long error = os_syscall(SYS_mkdirat, folder, (long)name, 0755, 0, 0, 0);

	if (error && error != -EEXIST)
		return (int)error;
	return open_at(folder, name, FOLDER_FLAGS | O_NOFOLLOW);
}

void os_folder_close(int folder)
{
	os_syscall(SYS_close, folder, 0, 0, 0, 0, 0);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		long done = os_syscall(SYS_write, fd, (long)text, (long)len, 0, 0, 0);

		if (done == -EINTR)
			continue;
		if (done <= 0)
			return done ? (int)done : -EIO;
		text += done;
		len -= (size_t)done;
	}
	return 0;
}

int os_folder_write(int folder, const char *name, const char *text, size_t len)
{
	int fd = open_at(folder, name, FILE_FLAGS), error;

	if (fd < 0)
		return fd;
	error = write_all(fd, text, len);
	os_folder_close(fd);
	return error;
}
