/* SPDX-License-Identifier: MIT */
/*
 * The proof that everything else in this program is about libkmalloc: each
 * function of the family, as a program would reach it, lives in our library.
 * Without it the whole suite could pass on the C library's malloc.
 */
#include "api.h"

TestSuite(bound, .timeout = 120);

static const char *const names[] = {
	"malloc", "free", "calloc", "realloc", "reallocarray",
	"memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc",
	"malloc_usable_size", "free_sized", "free_aligned_sized", "cfree",
	"mallopt", "malloc_trim", "malloc_stats", "malloc_info",
	"mallinfo", "mallinfo2",
	"__libc_malloc", "__libc_free", "__libc_calloc", "__libc_realloc",
	"__libc_memalign", "__libc_valloc", "__libc_pvalloc", "__libc_cfree",
	"__posix_memalign",
};

static const char *home_of(const void *fn)
{
	Dl_info info;

	if (!dladdr(fn, &info) || !info.dli_fname)
		return "(nowhere)";
	const char *slash = strrchr(info.dli_fname, '/');

	return slash ? slash + 1 : info.dli_fname;
}

static bool is_ours(const char *home)
{
	return strncmp(home, "libkmalloc", strlen("libkmalloc")) == 0;
}

Test(bound, malloc_is_ours)
{
	void *(*volatile fn)(size_t) = malloc;
	void *p;

	memcpy(&p, (const void *)&fn, sizeof(p));
	cr_assert(is_ours(home_of(p)), "malloc is bound to %s", home_of(p));
}

Test(bound, whole_family_is_ours)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *home = home_of(family(names[i]));

		cr_expect(is_ours(home), "%s is bound to %s", names[i], home);
	}
}

/* The C library's own allocations must end in the same heap. */
Test(bound, strdup_uses_our_heap)
{
	size_t before = live_bytes();
	char *text = malloc(64 * KIB);

	memset(text, 'x', 64 * KIB - 1);
	text[64 * KIB - 1] = '\0';
	char *copy = strdup(text);

	cr_assert(live_bytes() >= before + 128 * KIB,
		  "two blocks of 64 KiB, and mallinfo2 saw %zu bytes more",
		  live_bytes() - before);
	free(copy);
	free(text);
}
