/* SPDX-License-Identifier: MIT */
/* pack.h: from the recorder's raw log to a trace file. */
#ifndef KB_PACK_H
#define KB_PACK_H

#include <stdio.h>

#include "common/rawtrace.h"
#include "common/trace.h"

struct pack_result {
	uint64_t events, objects, dropped, strangers;
	unsigned threads;
};

/* 0, or -1 if the output cannot be written. */
int pack(const struct raw_file *raw, FILE *out, struct pack_result *result);

#endif
