/* SPDX-License-Identifier: MIT */
/* elfid.h: the build ID of a shared library. */
#ifndef KB_ELFID_H
#define KB_ELFID_H

/* Hexadecimal, to be freed; NULL if the file has none. */
char *elf_build_id(const char *path);

#endif
