/* SPDX-License-Identifier: MIT */
/*
 * places.c: where this installation, or this build tree, keeps its parts.
 *
 * A program run from its build tree uses that build's worker and library, an installed one the
 * installed ones, also if the installation was moved as a whole: everything is looked for from
 * the directory of /proc/self/exe first, then where configure said.
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

/* The first of the places, relative to this program, where name exists; NULL: none. */
static char *find_beside(const char *const *places, size_t n, const char *name)
{
	char *dir = own_directory(), *found = NULL;

	for (size_t i = 0; i < n && !found; i++)
		found = existing(xprintf("%s/%s%s", dir, places[i], name));
	free(dir);
	return found;
}

char *places_libkmalloc(void)
{
	static const char *const places[] = { "../.libs/", ".libs/", "", "../lib/" };
	char *found = find_beside(places, 4, "libkmalloc.so.0");

	if (!found)
		found = find_beside(places, 4, "libkmalloc.so");
	return found ? found : existing(xstrdup(KB_LIBDIR "/libkmalloc.so.0"));
}

char *places_helper(const char *name)
{
	static const char *const places[] = { "", "../libexec/libkmalloc/" };
	char *path = find_beside(places, 2, name);

	if (!path)
		path = existing(xprintf(KB_LIBEXECDIR "/%s", name));
	if (!path)
		fatal("%s is neither beside this program nor in " KB_LIBEXECDIR, name);
	return path;
}

/* In a build tree "share" leads to the sources, where scripts and traces are. */
char *places_data(const char *name)
{
	static const char *const places[] = { "share/", "", "../share/libkmalloc/bench/" };
	char *path = find_beside(places, 3, name);

	return path ? path : xprintf(KB_DATADIR "/%s", name);
}
