/* SPDX-License-Identifier: MIT */
/*
 * pack.c: from the recorder's raw log to a trace file: addresses become object numbers.
 *
 * A hash table with open addressing maps the addresses that are in use to objects. Frees of
 * addresses that were allocated before recording began (the dynamic linker's) are strangers and
 * left out. Objects still live at the end are freed by the replayer, not in the trace.
 */
#include "driver/pack.h"

#include <stdlib.h>

#include "driver/util.h"

struct entry {
	uint64_t address;	/* 0: empty, TOMBSTONE: was in use */
	uint64_t object;
};

static const uint64_t tombstone = UINT64_MAX;

struct packer {
	struct trace_writer writer;
	struct pack_result *result;
	struct entry *table;
	uint64_t mask, filled;
	uint64_t pending[TRACE_MAX_THREADS];	/* object + 1 that a thread is reallocating */
};

static uint64_t hash(uint64_t address)
{
	return (address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static struct entry *find(struct packer *p, uint64_t address)
{
	for (uint64_t i = hash(address) & p->mask;; i = (i + 1) & p->mask)
		if (p->table[i].address == address || p->table[i].address == 0)
			return &p->table[i];
}

static void put(struct packer *p, uint64_t address, uint64_t object);

static void rehash(struct packer *p)
{
	struct entry *old = p->table;
	uint64_t n = p->mask + 1;

	p->mask = n * 2 - 1;
	p->table = xcalloc(n * 2, sizeof(*p->table));
	p->filled = 0;
	for (uint64_t i = 0; i < n; i++)
		if (old[i].address && old[i].address != tombstone)
			put(p, old[i].address, old[i].object);
	free(old);
}

static void put(struct packer *p, uint64_t address, uint64_t object)
{
	struct entry *e;

	if (p->filled * 2 > p->mask)
		rehash(p);
	e = find(p, address);
	if (e->address == 0)
		p->filled++;
	*e = (struct entry){ address, object };
}

/* The object at an address, which goes out of use; -1: a stranger. */
static int64_t take(struct packer *p, uint64_t address)
{
	struct entry *e = find(p, address);

	if (e->address == 0)
		return -1;
	e->address = tombstone;
	return (int64_t)e->object;
}

static int write_event(struct packer *p, const struct raw_record *r, enum trace_op op,
		       uint64_t object)
{
	struct trace_event e = {
		.op = op, .thread = r->thread, .size = r->size, .object = object,
		.align_log = r->align_log < 4 ? 4 : r->align_log,
	};

	if (e.align_log > TRACE_MAX_ALIGN_LOG)
		e.align_log = TRACE_MAX_ALIGN_LOG;
	if (trace_write(&p->writer, &e))
		return -1;
	if (trace_allocates(op))
		put(p, r->address, e.object);
	return 0;
}

static int pack_free(struct packer *p, const struct raw_record *r)
{
	int64_t object = take(p, r->address);

	if (object < 0) {
		p->result->strangers++;
		return 0;
	}
	return write_event(p, r, TRACE_FREE, (uint64_t)object);
}

static int pack_realloc_end(struct packer *p, const struct raw_record *r)
{
	uint64_t pending = p->pending[r->thread];

	p->pending[r->thread] = 0;
	if (!pending)		/* the block was a stranger: now it is ours */
		return r->address ? write_event(p, r, TRACE_MALLOC, 0) : 0;
	if (!r->address)
		return write_event(p, r, TRACE_FREE, pending - 1);
	put(p, r->address, pending - 1);
	if (r->size == UINT64_MAX)	/* it failed: nothing happened */
		return 0;
	return write_event(p, r, TRACE_REALLOC, pending - 1);
}

static int pack_record(struct packer *p, const struct raw_record *r)
{
	int64_t object;

	if (r->thread >= TRACE_MAX_THREADS)
		return 0;
	switch (r->op) {
	case RAW_MALLOC:
		return write_event(p, r, TRACE_MALLOC, 0);
	case RAW_CALLOC:
		return write_event(p, r, TRACE_CALLOC, 0);
	case RAW_MEMALIGN:
		return write_event(p, r, TRACE_MEMALIGN, 0);
	case RAW_FREE:
		return pack_free(p, r);
	case RAW_REALLOC_BEGIN:
		object = take(p, r->address);
		p->pending[r->thread] = object < 0 ? 0 : (uint64_t)object + 1;
		return 0;
	case RAW_REALLOC_END:
		return pack_realloc_end(p, r);
	default:
		return 0;
	}
}

int pack(const struct raw_file *raw, FILE *out, struct pack_result *result)
{
	uint64_t reserved = atomic_load(&raw->reserved);
	uint64_t n = reserved < raw->capacity ? reserved : raw->capacity;
	struct packer p = { .result = result, .mask = (1 << 16) - 1 };
	int error = trace_begin(&p.writer, out);

	*result = (struct pack_result){ .dropped = reserved - n };
	p.table = xcalloc(p.mask + 1, sizeof(*p.table));
	for (uint64_t i = 0; i < n && !error; i++)
		error = pack_record(&p, &raw->record[i]);
	if (!error)
		error = trace_end(&p.writer);
	free(p.table);
	result->events = p.writer.events;
	result->objects = p.writer.objects;
	result->threads = p.writer.threads;
	return error;
}
