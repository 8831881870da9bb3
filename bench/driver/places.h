/* SPDX-License-Identifier: MIT */
/* places.h: where this installation, or this build tree, keeps its parts. */
#ifndef KB_PLACES_H
#define KB_PLACES_H

/* Each returns a string to be freed. places_libkmalloc: NULL if there is none. */
char *places_libkmalloc(void);
char *places_helper(const char *name);	/* kmalloc-bench-work and the like; fatal if missing */
char *places_data(const char *name);	/* "programs", "traces" */

#endif
