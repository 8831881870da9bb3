/* SPDX-License-Identifier: MIT */
/*
 * rawtrace.h: what the recorder writes while a program runs: fixed records in a shared mapping,
 * in the order in which their slots were reserved. `kmalloc-bench record` turns addresses into
 * object numbers and packs the result (trace.h).
 */
#ifndef KB_RAWTRACE_H
#define KB_RAWTRACE_H

#include <stdatomic.h>
#include <stdint.h>

enum raw_op {
	RAW_NONE,		/* reserved, never completed */
	RAW_MALLOC, RAW_CALLOC, RAW_MEMALIGN, RAW_FREE,
	/*
	 * A realloc takes two records: the old address goes out of use at the first, the new one
	 * comes into use at the second; other threads may get the old address in between.
	 */
	RAW_REALLOC_BEGIN, RAW_REALLOC_END,
};

struct raw_record {
	uint64_t address;
	uint64_t size;
	uint16_t thread;
	uint8_t op;
	uint8_t align_log;
	uint32_t unused;
};

struct raw_file {
	_Atomic(uint64_t) reserved;	/* may grow past capacity: then records were dropped */
	uint64_t capacity;
	_Atomic(uint32_t) threads;
	uint32_t unused;
	struct raw_record record[];
};

#endif
