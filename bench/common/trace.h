/* SPDX-License-Identifier: MIT */
/*
 * trace.h: the file format of recorded allocation calls (*.kmt).
 *
 * A header of 32 bytes, numbers little-endian:
 *	 0  "kmtrace1"
 *	 8  number of events (8 bytes)
 *	16  number of objects (8 bytes)
 *	24  number of threads (4 bytes)
 *	28  FNV-1a checksum, 32 bits, of the body and then of bytes 8 to 27
 * then one event after the other:
 *	byte	operation (bits 0–2), "the thread is another than before" (bit 3),
 *		binary logarithm of the alignment for memalign (bits 4–7, less 4)
 *	varint	thread, if bit 3 is set
 *	varint	the object's age, for realloc and free: 0 is the object allocated last
 *	varint	size, for all but free
 * Objects are numbered in the order of their allocation and never reuse a number; a realloc keeps
 * it. A varint has seven bits a byte, lowest first, bit 7 set in all but the last byte.
 * Reading does not allocate: the worker reads traces while the allocator under test is bound.
 */
#ifndef KB_TRACE_H
#define KB_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum trace_op {
	TRACE_MALLOC, TRACE_CALLOC, TRACE_MEMALIGN, TRACE_REALLOC, TRACE_FREE, TRACE_OPS,
};

enum { TRACE_HEADER = 32, TRACE_MAX_ALIGN_LOG = 19, TRACE_MAX_THREADS = 1024 };

struct trace_event {
	enum trace_op op;
	unsigned thread;
	unsigned align_log;	/* memalign: 4 … TRACE_MAX_ALIGN_LOG */
	uint64_t object;
	uint64_t size;
};

struct trace_writer {
	FILE *out;
	uint64_t events, objects;
	unsigned threads, last_thread;
	uint32_t checksum;
};

struct trace_reader {
	const unsigned char *data;
	size_t size, at;
	uint64_t events, objects;	/* as the header says */
	unsigned threads;
	uint64_t seen_events, seen_objects;
	unsigned last_thread;
};

/* Writing: begin, events (those that allocate get their object's number), end; -1 on failure. */
int trace_begin(struct trace_writer *w, FILE *out);
int trace_write(struct trace_writer *w, struct trace_event *e);
int trace_end(struct trace_writer *w);

/* NULL, or what is wrong with the file. */
const char *trace_open(struct trace_reader *r, const void *data, size_t size);
/* 1: an event; 0: the end; -1: the file is damaged. */
int trace_next(struct trace_reader *r, struct trace_event *e);

static inline int trace_allocates(enum trace_op op)
{
	return op < TRACE_REALLOC;
}

#endif
