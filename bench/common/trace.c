/* SPDX-License-Identifier: MIT */
/* trace.c: writing and reading the trace format (trace.h). */
#include "common/trace.h"

#include <string.h>

enum { OTHER_THREAD = 8, FNV_PRIME = 16777619, ALIGN_BASE = 4 };

static const uint32_t fnv_start = 0x811c9dc5;

static const char magic[8] = { 'k', 'm', 't', 'r', 'a', 'c', 'e', '1' };

static void store(unsigned char *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t load(const unsigned char *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint32_t fnv(uint32_t sum, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ p[i]) * FNV_PRIME;
	return sum;
}

static unsigned char *put_varint(unsigned char *p, uint64_t v)
{
	while (v >= 128) {
		*p++ = (unsigned char)(v | 128);
		v >>= 7;
	}
	*p++ = (unsigned char)v;
	return p;
}

int trace_begin(struct trace_writer *w, FILE *out)
{
	unsigned char header[TRACE_HEADER] = { 0 };

	*w = (struct trace_writer){ .out = out, .checksum = fnv_start };
	return fwrite(header, sizeof(header), 1, out) == 1 ? 0 : -1;
}

int trace_write(struct trace_writer *w, struct trace_event *e)
{
	unsigned char text[40], *p = text + 1;

	text[0] = (unsigned char)e->op;
	if (e->op == TRACE_MEMALIGN)
		text[0] |= (unsigned char)((e->align_log - ALIGN_BASE) << 4);
	if (e->thread != w->last_thread) {
		text[0] |= OTHER_THREAD;
		p = put_varint(p, e->thread);
		w->last_thread = e->thread;
	}
	if (trace_allocates(e->op))
		e->object = w->objects++;
	else
		p = put_varint(p, w->objects - 1 - e->object);
	if (e->op != TRACE_FREE)
		p = put_varint(p, e->size);
	w->events++;
	if (e->thread >= w->threads)
		w->threads = e->thread + 1;
	w->checksum = fnv(w->checksum, text, (size_t)(p - text));
	return fwrite(text, (size_t)(p - text), 1, w->out) == 1 ? 0 : -1;
}

int trace_end(struct trace_writer *w)
{
	unsigned char header[TRACE_HEADER];

	memcpy(header, magic, sizeof(magic));
	store(header + 8, w->events, 8);
	store(header + 16, w->objects, 8);
	store(header + 24, w->threads, 4);
	store(header + 28, fnv(w->checksum, header + 8, 20), 4);
	if (fseek(w->out, 0, SEEK_SET) || fwrite(header, sizeof(header), 1, w->out) != 1)
		return -1;
	return fflush(w->out) ? -1 : 0;
}

const char *trace_open(struct trace_reader *r, const void *data, size_t size)
{
	const unsigned char *p = data;
	uint32_t sum;

	if (size < TRACE_HEADER || memcmp(p, magic, sizeof(magic)))
		return "not a trace of kmalloc-bench";
	*r = (struct trace_reader){ .data = p, .size = size, .at = TRACE_HEADER };
	r->events = load(p + 8, 8);
	r->objects = load(p + 16, 8);
	r->threads = (unsigned)load(p + 24, 4);
	if (r->threads > TRACE_MAX_THREADS || r->objects > r->events || r->events > size)
		return "the header of the trace is damaged";
	sum = fnv(fnv_start, p + TRACE_HEADER, size - TRACE_HEADER);
	if (load(p + 28, 4) != fnv(sum, p + 8, 20))
		return "the checksum of the trace is wrong";
	return NULL;
}

static int get_varint(struct trace_reader *r, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && r->at < r->size; shift += 7) {
		unsigned char c = r->data[r->at++];

		*v |= (uint64_t)(c & 127) << shift;
		if (c < 128)
			return 0;
	}
	return -1;
}

static int get_thread(struct trace_reader *r, unsigned char head, struct trace_event *e)
{
	uint64_t thread = r->last_thread;

	if (head & OTHER_THREAD && get_varint(r, &thread))
		return -1;
	if (thread >= r->threads)
		return -1;
	e->thread = r->last_thread = (unsigned)thread;
	return 0;
}

static int get_object(struct trace_reader *r, struct trace_event *e)
{
	uint64_t age;

	if (trace_allocates(e->op)) {
		e->object = r->seen_objects++;
		return e->object < r->objects ? 0 : -1;
	}
	if (get_varint(r, &age) || age >= r->seen_objects)
		return -1;
	e->object = r->seen_objects - 1 - age;
	return 0;
}

int trace_next(struct trace_reader *r, struct trace_event *e)
{
	unsigned char head;

	if (r->seen_events == r->events)
		return r->at == r->size ? 0 : -1;
	if (r->at == r->size)
		return -1;
	head = r->data[r->at++];
	e->op = (enum trace_op)(head & 7);
	e->align_log = (head >> 4) + ALIGN_BASE;
	e->size = 0;
	if (e->op >= TRACE_OPS || get_thread(r, head, e) || get_object(r, e))
		return -1;
	if (e->op != TRACE_FREE && get_varint(r, &e->size))
		return -1;
	r->seen_events++;
	return 1;
}
