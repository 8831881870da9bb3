/* SPDX-License-Identifier: MIT */
/* provenance.h: where and how results came to be. */
#ifndef KB_PROVENANCE_H
#define KB_PROVENANCE_H

#include "driver/schedule.h"

/* The command line as typed, to be freed; argp sorts argv, so it is taken before. */
char *provenance_command(int argc, char **argv);
json_t *provenance_take(const struct plan *plan, const char *command);

#endif
