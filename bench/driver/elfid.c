/* SPDX-License-Identifier: MIT */
/*
 * elfid.c: the build ID of a shared library: the note NT_GNU_BUILD_ID in one of its PT_NOTE
 * segments (elf(5)). Only files of this machine's own class are read: others cannot be preloaded.
 */
#include "driver/elfid.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/util.h"

struct image {
	const unsigned char *data;
	size_t size;
};

static int map_file(const char *path, struct image *image)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && st.st_size >= (off_t)sizeof(ElfW(Ehdr)))
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -1;
	*image = (struct image){ p, (size_t)st.st_size };
	return 0;
}

static char *hex(const unsigned char *p, size_t n)
{
	char *s = xcalloc(2 * n + 1, 1);

	for (size_t i = 0; i < n; i++)
		sprintf(s + 2 * i, "%02x", p[i]);
	return s;
}

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static char *id_in_notes(const struct image *image, size_t at, size_t end)
{
	while (at + sizeof(ElfW(Nhdr)) <= end) {
		ElfW(Nhdr) note;
		size_t name = at + sizeof(note), desc;

		memcpy(&note, image->data + at, sizeof(note));
		desc = name + padded(note.n_namesz);
		if (desc + note.n_descsz > end)
			return NULL;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(image->data + name, "GNU", 4))
			return hex(image->data + desc, note.n_descsz);
		at = desc + padded(note.n_descsz);
	}
	return NULL;
}

static char *id_in_image(const struct image *image)
{
	ElfW(Ehdr) eh;
	char *id = NULL;

	memcpy(&eh, image->data, sizeof(eh));
	if (memcmp(eh.e_ident, ELFMAG, SELFMAG))
		return NULL;
	for (int i = 0; i < eh.e_phnum && !id; i++) {
		ElfW(Phdr) ph;
		size_t at = eh.e_phoff + (size_t)i * eh.e_phentsize;

		if (at + sizeof(ph) > image->size)
			return NULL;
		memcpy(&ph, image->data + at, sizeof(ph));
		if (ph.p_type == PT_NOTE && ph.p_offset + ph.p_filesz <= image->size)
			id = id_in_notes(image, ph.p_offset, ph.p_offset + ph.p_filesz);
	}
	return id;
}

char *elf_build_id(const char *path)
{
	struct image image;
	char *id;

	if (map_file(path, &image))
		return NULL;
	id = id_in_image(&image);
	munmap((void *)(uintptr_t)image.data, image.size);
	return id;
}
