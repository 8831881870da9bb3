/* SPDX-License-Identifier: MIT */
/*
 * /proc/self/maps, line by line.
 *
 * Stacks.  A thread's stack ends at its descriptor, to which pthread_self() points; the mapping it
 * lies in may have become one with a neighbour that can go before the thread does, so the
 * descriptor is taken for the end.  The first thread's stack grows: the kernel keeps
 * everything else out of a gap of at least 128 MiB below its end, and 8 MiB of that are
 * believed.  A thread that was found on a stack of somebody else's making (a coroutine, a signal
 * handler's) has none here.
 *
 * References: proc(5); Linux mm/util.c, mmap_base().
 */
#include "os/where.h"

#include <elf.h>
#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>

#include "lib/strutil.h"
#include "os/file.h"
#include "os/os.h"

#define GROWING_STACK	((uintptr_t)8 << 20)

struct mapping {
	uintptr_t start, end;
	uintptr_t offset;		/* in the file */
	struct str path;		/* empty for anonymous memory */
};

/* A window over the file.  Of a line that does not fit only the beginning is seen. */
struct maps {
	int fd;
	bool in_line;			/* the window begins in the middle of one */
	size_t used;			/* bytes in text */
	size_t next;			/* where the next line begins */
	char text[2048];
};

static void fill_window(struct maps *maps)
{
	maps->used -= maps->next;
	memmove(maps->text, maps->text + maps->next, maps->used);
	maps->next = 0;
	maps->used += os_file_read(maps->fd, maps->text + maps->used,
				   sizeof(maps->text) - maps->used);
}

static bool next_line(struct maps *maps, struct str *line)
{
	const char *end = memchr(maps->text + maps->next, '\n', maps->used - maps->next);

	if (!end) {
		fill_window(maps);
		end = memchr(maps->text, '\n', maps->used);
	}
	line->at = maps->text + maps->next;
	line->len = end ? (size_t)(end - line->at) : maps->used;
	maps->in_line = !end;
	maps->next = min(maps->next + line->len + 1, maps->used);
	return maps->used;
}

static bool next_whole_line(struct maps *maps, struct str *line)
{
	bool tail;

	do {
		tail = maps->in_line;
		if (!next_line(maps, line))
			return false;
	} while (tail);
	return true;
}

static uintptr_t hex(struct str s)
{
	uintptr_t value = 0;
	size_t i;

	for (i = 0; i < s.len; i++)
		value = value << 4 | (uintptr_t)(s.at[i] <= '9' ? s.at[i] - '0' :
						 (s.at[i] | 0x20) - 'a' + 10);
	return value;
}

/* start-end permissions offset device inode path */
static bool next_mapping(struct maps *maps, struct mapping *m)
{
	struct str line;

	if (!next_whole_line(maps, &line))
		return false;
	m->start = hex(str_cut(&line, "-"));
	m->end = hex(str_cut(&line, " "));
	str_cut(&line, " ");
	m->offset = hex(str_cut(&line, " "));
	str_cut(&line, " ");
	str_cut(&line, " ");
	m->path = line.at ? str_trim(line) : (struct str){ "", 0 };
	return true;
}

static bool open_maps(struct maps *maps)
{
	maps->fd = os_file_open("/proc/self/maps");
	maps->in_line = false;
	maps->used = maps->next = 0;
	return maps->fd >= 0;
}

/*
 * Stacks.
 */

static struct os_stack stack_in(const struct mapping *m)
{
	uintptr_t self = (uintptr_t)pthread_self();

	if (str_equal(m->path, str_of("[stack]")))
		return (struct os_stack){ m->end - GROWING_STACK, m->end };
	if (self > m->start && self < m->end)
		return (struct os_stack){ m->start, self };
	return (struct os_stack){ 0, 0 };
}

struct os_stack os_stack_find(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct os_stack stack = { 0, 0 };
	struct mapping m;
	struct maps maps;

	if (!open_maps(&maps))
		return stack;
	while (next_mapping(&maps, &m)) {
		if (here < m.start || here >= m.end)
			continue;
		stack = stack_in(&m);
		if (here < stack.low || here >= stack.high)
			stack.low = stack.high = 0;
		break;
	}
	os_file_close(maps.fd);
	return stack;
}

/*
 * Modules.
 */

/* Addresses in a program that is not position independent are those of its file. */
static bool is_fixed(uintptr_t base)
{
	return getauxval(AT_PHDR) - base < PAGE_SIZE &&
	       ((const Elf64_Ehdr *)base)->e_type == ET_EXEC;
}

static struct str last_part(struct str path)
{
	struct str part = path;

	while (path.at)
		part = str_cut(&path, "/");
	return part;
}

static void set_place(struct os_place *place, const struct mapping *m, uintptr_t base)
{
	struct str name = last_part(m->path);
	size_t len = min(name.len, sizeof(place->module) - 1);

	memcpy(place->module, name.at, len);
	place->module[len] = '\0';
	if (name.len && !is_fixed(base))
		place->offset -= base;
}

static void place_all(struct os_place *places, unsigned n, const struct mapping *m, uintptr_t base)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if ((uintptr_t)places[i].addr >= m->start && (uintptr_t)places[i].addr < m->end)
			set_place(&places[i], m, base);
}

/* The first mapping of a module has its file's first byte. */
void os_locate(struct os_place *places, unsigned n)
{
	uintptr_t base = 0;
	struct mapping m;
	struct maps maps;
	unsigned i;

	for (i = 0; i < n; i++) {
		places[i].offset = (uintptr_t)places[i].addr;
		places[i].module[0] = '\0';
	}
	if (!n || !open_maps(&maps))
		return;
	while (next_mapping(&maps, &m)) {
		if (m.path.len && !m.offset)
			base = m.start;
		place_all(places, n, &m, base);
	}
	os_file_close(maps.fd);
}
