/* SPDX-License-Identifier: MIT */
/* provenance.h: where and how results came to be. */
#ifndef KB_PROVENANCE_H
#define KB_PROVENANCE_H

#include "driver/schedule.h"

json_t *provenance_take(const struct plan *plan, int argc, char **argv);

#endif
