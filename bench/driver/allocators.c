/* SPDX-License-Identifier: MIT */
/*
 * allocators.c: finds allocators, knows their versions, recognises them in a child.
 *
 * libkmalloc is looked for beside this program first (the build that is under test), then where it
 * is installed. The others are where Debian puts them; any other is named as name=/path.so.
 * What identifies an allocator in the results is its build ID, not its file name.
 */
#include "driver/allocators.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/elfid.h"
#include "driver/places.h"
#include "driver/util.h"

struct known {
	const char *name;
	const char *pattern;	/* glob(3); NULL: see places.c */
	const char *env;
	bool by_default;
};

static const struct known known[] = {
	{ "glibc", NULL, NULL, true },
	{ "libkmalloc", NULL, NULL, true },
	{ "kmalloc-pow2", NULL, "KMALLOC_OPTIONS=size_classes:pow2", false },
	{ "kmalloc-kernel", NULL, "KMALLOC_OPTIONS=size_classes:kernel", false },
	{ "kmalloc-mid", NULL, "KMALLOC_OPTIONS=size_classes:mid", false },
	{ "kmalloc-quarter", NULL, "KMALLOC_OPTIONS=size_classes:quarter", false },
	{ "jemalloc", "/usr/lib/*/libjemalloc.so.2", NULL, true },
	{ "mimalloc", "/usr/lib/*/libmimalloc.so.2", NULL, true },
	{ "tcmalloc", "/usr/lib/*/libtcmalloc_minimal.so.4", NULL, true },
	{ "tbbmalloc", "/usr/lib/*/libtbbmalloc_proxy.so.2", NULL, true },
	{ "scudo", "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-" KB_ARCH
		   ".so", NULL, true },
};

enum { N_KNOWN = sizeof(known) / sizeof(known[0]) };

static char *find_by_pattern(const char *pattern)
{
	glob_t g;
	char *path = NULL;

	if (!glob(pattern, 0, NULL, &g) && g.gl_pathc)
		path = realpath(g.gl_pathv[g.gl_pathc - 1], NULL);
	globfree(&g);
	return path;
}

static char *find_known(const struct known *k)
{
	return k->pattern ? find_by_pattern(k->pattern) : places_libkmalloc();
}

static bool is_glibc(const char *name)
{
	return !strcmp(name, "glibc");
}

/* "package version" if the package manager knows the file, else NULL. */
static char *package_of(const char *path)
{
	char *command = xprintf("dpkg-query -S '%s' 2>/dev/null | head -n1 | cut -d: -f1", path);
	char *name = strchr(path, '\'') ? NULL : read_command(command), *version;

	free(command);
	if (!name || !*name) {
		free(name);
		return NULL;
	}
	command = xprintf("dpkg-query -W -f '${Package} ${Version}' '%s' 2>/dev/null", name);
	version = read_command(command);
	free(command);
	free(name);
	return version;
}

char *allocators_libc(void)
{
	void *function = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
	Dl_info info;

	return function && dladdr(function, &info) ? realpath(info.dli_fname, NULL) : NULL;
}

static void identify(struct allocator *a)
{
	char libc_version[64];
	char *libc_path;

	if (a->path) {
		a->version = package_of(a->path);
		a->build_id = elf_build_id(a->path);
		return;
	}
	confstr(_CS_GNU_LIBC_VERSION, libc_version, sizeof(libc_version));
	a->version = xstrdup(libc_version);
	libc_path = allocators_libc();
	a->build_id = libc_path ? elf_build_id(libc_path) : NULL;
	free(libc_path);
}

static void add(struct set *set, const char *name, char *path, const char *env)
{
	struct allocator *a;

	set->allocator = xrealloc(set->allocator, set->allocators + 1, sizeof(*a));
	a = &set->allocator[set->allocators++];
	*a = (struct allocator){ .name = xstrdup(name), .path = path, .env = xstrdup(env) };
	identify(a);
}

static void add_explicit(struct set *set, char *spec)
{
	char *path = strchr(spec, '='), *env = strchr(spec, '@'), *real;

	*path++ = 0;
	if (env)
		*env++ = 0;
	real = realpath(path, NULL);
	if (!real)
		fatal("allocator %s: no file %s", spec, path);
	add(set, spec, real, env);
}

static void add_known(struct set *set, const char *name)
{
	char *path;

	for (int i = 0; i < N_KNOWN; i++) {
		if (strcmp(known[i].name, name))
			continue;
		path = is_glibc(name) ? NULL : find_known(&known[i]);
		if (!path && !is_glibc(name))
			fatal("allocator %s is not on this machine", name);
		add(set, name, path, known[i].env);
		return;
	}
	fatal("no allocator '%s' known; name a file with %s=/path/to/library.so", name, name);
}

static void add_found(struct set *set)
{
	for (int i = 0; i < N_KNOWN; i++) {
		char *path = is_glibc(known[i].name) ? NULL : find_known(&known[i]);

		if (known[i].by_default && (path || is_glibc(known[i].name)))
			add(set, known[i].name, path, known[i].env);
		else
			free(path);
		if (!path && !strcmp(known[i].name, "libkmalloc"))
			fputs("kmalloc-bench: no libkmalloc.so.0 beside this program nor in "
			      KB_LIBDIR "\n", stderr);
	}
}

void allocators_find(struct set *set, const char *list)
{
	char *copy = xstrdup(list ? list : "all"), *rest = copy, *spec;

	if (strcmp(copy, "all"))
		add(set, "glibc", NULL, NULL);
	while ((spec = strsep(&rest, ","))) {
		if (!strcmp(spec, "all"))
			add_found(set);
		else if (strchr(spec, '='))
			add_explicit(set, spec);
		else if (!is_glibc(spec))
			add_known(set, spec);
	}
	free(copy);
}

void allocators_print(void)
{
	for (int i = 0; i < N_KNOWN; i++) {
		char *path = is_glibc(known[i].name) ? xstrdup("(the C library)")
						     : find_known(&known[i]);

		printf("  %-16s %s%s%s\n", known[i].name, path ? path : "(not found)",
		       known[i].env ? "  " : "", known[i].env ? known[i].env : "");
		free(path);
	}
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return !stat(a, &sa) && !stat(b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

bool allocator_is(const struct allocator *a, const char *library)
{
	const char *base = strrchr(library, '/');

	if (a->path)
		return same_file(a->path, library);
	base = base ? base + 1 : library;
	return !strncmp(base, "libc.so", 7) || !strncmp(base, "libc-2", 6) ||
	       !strncmp(base, "ld-musl", 7);
}
