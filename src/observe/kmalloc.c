/* SPDX-License-Identifier: MIT */
/*
 * The functions of <kmalloc/kmalloc.h>: statistics for programs, across versions of the library.
 */
#include <kmalloc/kmalloc.h>

#include <errno.h>
#include <string.h>

#include "observe/stats.h"

__export const char *kmalloc_version(void)
{
	return PACKAGE_VERSION;
}

__export int kmalloc_stats_get(struct kmalloc_stats *stats, size_t size)
{
	struct kmalloc_stats all;
	size_t known = min(size, sizeof(all));

	if (size < sizeof(all.version)) {
		errno = EINVAL;
		return -1;
	}
	stats_get(&all);
	memcpy(stats, &all, known);
	memset((char *)stats + known, 0, size - known);
	return 0;
}

__export void kmalloc_stats_print(int fd)
{
	stats_print_fd(fd);
}
