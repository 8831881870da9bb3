/* SPDX-License-Identifier: MIT */
/*
 * Small files that the kernel or the administrator writes, read by raw system calls: open(3) and
 * read(3) are cancellation points, and sandboxes and tracers like to wrap them.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <stddef.h>

/* For reading; a negative errno if it cannot be opened. */
int os_file_open(const char *path);
void os_file_close(int fd);

/* Up to @size bytes, fewer only at the end of the file or on an error. */
size_t os_file_read(int fd, char *buf, size_t size);

#endif
