/* SPDX-License-Identifier: MIT */
/*
 * places.c: where this installation, or this build tree, keeps its parts.
 *
 * A program run from its build tree uses that build's worker and library, an installed one the
 * installed ones; the directory of /proc/self/exe tells which of them it is.
 */
#include "driver/places.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "driver/util.h"

static char *own_directory(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		return xstrdup(".");
	path[n] = 0;
	slash = strrchr(path, '/');
	if (slash)
		*slash = 0;
	return xstrdup(path);
}

/* Takes the string if it names something that exists, else frees it. */
static char *existing(char *path)
{
	char *real = realpath(path, NULL);

	free(path);
	return real;
}

char *places_libkmalloc(void)
{
	static const char *const beside[] = {
		"../.libs/libkmalloc.so.0", ".libs/libkmalloc.so.0", "libkmalloc.so.0",
		"libkmalloc.so",
	};
	char *dir = own_directory(), *found = NULL;

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]) && !found; i++)
		found = existing(xprintf("%s/%s", dir, beside[i]));
	free(dir);
	return found ? found : existing(xstrdup(KB_LIBDIR "/libkmalloc.so.0"));
}

static char *find(const char *name, const char *installed)
{
	char *dir = own_directory(), *found;

	found = existing(xprintf("%s/%s", dir, name));
	free(dir);
	return found ? found : existing(xprintf("%s/%s", installed, name));
}

char *places_helper(const char *name)
{
	char *path = find(name, KB_LIBEXECDIR);

	if (!path)
		fatal("%s is neither beside this program nor in " KB_LIBEXECDIR, name);
	return path;
}

/* In a build tree "share" leads to the sources, where scripts and traces are. */
char *places_data(const char *name)
{
	char *in_tree = xprintf("share/%s", name), *path = find(in_tree, KB_DATADIR);

	free(in_tree);
	if (!path)
		path = find(name, KB_DATADIR);
	return path ? path : xstrdup(KB_DATADIR);
}
