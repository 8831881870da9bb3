/* SPDX-License-Identifier: MIT */
/*
 * Writing small files below a folder, by raw system calls: for functions that a program calls to
 * have something written, never for the library by itself.  Nothing follows a symbolic link that
 * stands where a file or a folder is to be made.
 */
#ifndef OS_FOLDER_H
#define OS_FOLDER_H

#include <stddef.h>

/* A folder that is there already; a descriptor, or a negative errno. */
int os_folder_open(const char *path);

/* A folder in @folder, made if need be; a descriptor, or a negative errno. */
int os_folder_enter(int folder, const char *name);

void os_folder_close(int folder);

/* Makes the file, or replaces what is in it.  0 or a negative errno. */
int os_folder_write(int folder, const char *name, const char *text, size_t len);

#endif
