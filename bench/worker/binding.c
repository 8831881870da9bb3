/* SPDX-License-Identifier: MIT */
/*
 * binding.c: proof of which allocator this process really uses.
 *
 * The module (the worker, or the probe inside a real program) looks at its own relocations: at
 * what the dynamic linker has put into the slots through which its calls of malloc go. That is
 * the same lookup, with the same symbol version, that binds every other caller. Two easier ways
 * give wrong answers: dlsym() finds a malloc that a library exports under a version which no
 * ordinary program asks for, and a benchmark that trusts it measures glibc under another name;
 * and &malloc is, in a program linked at a fixed address, the program's own PLT entry.
 *
 * The module must be linked with -z now, or the slots would not be filled yet.
 */
#include "worker/binding.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

static const char *const family[] = {
	"malloc", "free", "calloc", "realloc", "posix_memalign",
};

struct module {
	uintptr_t base;
	const ElfW(Sym) *symbols;
	const char *strings;
};

static uintptr_t dynamic_value(ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return (uintptr_t)d->d_un.d_ptr;
	return 0;
}

static size_t symbol_of(const ElfW(Rela) *r)
{
	return sizeof(r->r_info) == 8 ? (size_t)((uint64_t)r->r_info >> 32)
				      : (size_t)r->r_info >> 8;
}

static int in_family(const char *name)
{
	for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++)
		if (!strcmp(family[i], name))
			return 1;
	return 0;
}

static void look_at(const struct module *m, const ElfW(Rela) *r,
		    void (*say)(const char *, const char *))
{
	const char *name = m->strings + m->symbols[symbol_of(r)].st_name;
	void *target;
	Dl_info info;

	if (symbol_of(r) == 0 || !in_family(name))
		return;
	memcpy(&target, (const void *)(m->base + r->r_offset), sizeof(target));
	if (dladdr(target, &info) && info.dli_fname)
		say(name, info.dli_fname);
}

static void look_at_table(const struct module *m, ElfW(Sxword) table, ElfW(Sxword) size,
			  void (*say)(const char *, const char *))
{
	const ElfW(Rela) *r = (const ElfW(Rela) *)dynamic_value(table);
	size_t n = dynamic_value(size) / sizeof(*r);

	for (size_t i = 0; r && i < n; i++)
		look_at(m, &r[i], say);
}

void binding_each(void (*say)(const char *function, const char *library))
{
	struct module m = {
		.symbols = (const ElfW(Sym) *)dynamic_value(DT_SYMTAB),
		.strings = (const char *)dynamic_value(DT_STRTAB),
	};
	Dl_info self;

	if (!m.symbols || !m.strings || !dladdr((void *)_DYNAMIC, &self))
		return;
	m.base = (uintptr_t)self.dli_fbase;
	look_at_table(&m, DT_JMPREL, DT_PLTRELSZ, say);
	look_at_table(&m, DT_RELA, DT_RELASZ, say);
}
