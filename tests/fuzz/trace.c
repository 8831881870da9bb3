/* SPDX-License-Identifier: MIT */
/*
 * The reader of recorded traces. Any bytes, with a header that fits them: no event may name an
 * object or a thread that the header does not know. And what is written reads back the same.
 */
#include "fuzz.h"

#include "common/trace.h"

#define EVENTS	512

static uint32_t fnv(uint32_t sum, const unsigned char *p, size_t n)
{
	while (n--)
		sum = (sum ^ *p++) * 16777619u;
	return sum;
}

static void store32(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

/* A header that the reader must believe, so that it comes to the events. */
static size_t forge(struct bytes *in, unsigned char *file, size_t max)
{
	size_t body = (size_t)(in->end - in->at);
	uint64_t events = take16(in), objects = take16(in) % (events + 1);
	unsigned threads = take8(in) % 8;

	body = (size_t)(in->end - in->at);
	if (body > max - TRACE_HEADER)
		body = max - TRACE_HEADER;
	memset(file, 0, TRACE_HEADER);
	memcpy(file, "kmtrace1", 8);
	memcpy(file + 8, &events, 8);
	memcpy(file + 16, &objects, 8);
	store32(file + 24, threads);
	memcpy(file + TRACE_HEADER, in->at, body);
	store32(file + 28, fnv(fnv(0x811c9dc5, file + TRACE_HEADER, body), file + 8, 20));
	in->at = in->end;
	return TRACE_HEADER + body;
}

static void read_all(const unsigned char *file, size_t size)
{
	struct trace_reader r;
	struct trace_event e;
	uint64_t n = 0;

	if (trace_open(&r, file, size))
		return;
	while (trace_next(&r, &e) == 1) {
		FUZZ_MUST(e.op < TRACE_OPS && e.thread < r.threads && e.object < r.objects,
			  "event %llu names object %llu, thread %u", (unsigned long long)n,
			  (unsigned long long)e.object, e.thread);
		FUZZ_MUST(e.align_log >= 4 && e.align_log <= TRACE_MAX_ALIGN_LOG, "alignment");
		FUZZ_MUST(++n <= r.events && r.at <= r.size, "more than the header says");
		fuzz_operations++;
	}
}

/* In the exact space it needs, so that a sanitizer sees a byte too much. */
static void read_exactly(const unsigned char *file, size_t size)
{
	unsigned char *copy = malloc(size + !size);

	memcpy(copy, file, size);
	read_all(copy, size);
	free(copy);
}

static void some_event(struct bytes *in, struct trace_event *e, uint64_t objects)
{
	unsigned how = take8(in);

	*e = (struct trace_event){ .op = (enum trace_op)(how % TRACE_OPS), .thread = (how >> 3) % 5,
				   .align_log = 4 };
	if (!objects && !trace_allocates(e->op))
		e->op = TRACE_MALLOC;
	if (e->op == TRACE_MEMALIGN)
		e->align_log = 4 + take8(in) % 16;
	if (!trace_allocates(e->op))
		e->object = take16(in) % objects;
	if (e->op != TRACE_FREE)
		e->size = take_size(in, 31) * (how & 0x80 ? take_size(in, 31) : 1);
}

static void write_and_read(struct bytes *in)
{
	static struct trace_event event[EVENTS];
	static unsigned char file[EVENTS * 40];
	FILE *out = fmemopen(file, sizeof(file), "w+");
	struct trace_writer w;
	struct trace_reader r;
	struct trace_event e;
	size_t n, i, size;

	FUZZ_MUST(out && !trace_begin(&w, out), "trace_begin");
	for (n = 0; n < EVENTS && more(in); n++) {
		some_event(in, &event[n], w.objects);
		FUZZ_MUST(!trace_write(&w, &event[n]), "trace_write");
		fuzz_operations++;
	}
	fflush(out);
	size = (size_t)ftell(out);
	FUZZ_MUST(!trace_end(&w), "trace_end");
	fclose(out);
	FUZZ_MUST(!trace_open(&r, file, size), "trace_open: %s", trace_open(&r, file, size));
	for (i = 0; i < n; i++) {
		FUZZ_MUST(trace_next(&r, &e) == 1, "event %zu of %zu is missing", i, n);
		FUZZ_MUST(e.op == event[i].op && e.thread == event[i].thread &&
			  e.object == event[i].object && e.size == event[i].size &&
			  e.align_log == event[i].align_log, "event %zu is another", i);
	}
	FUZZ_MUST(trace_next(&r, &e) == 0, "there are more events than were written");
}

void fuzz_one(struct bytes *in)
{
	static unsigned char file[8192];
	unsigned how = take8(in);
	size_t size;

	fuzz_operations++;
	switch (how % 4) {
	case 0:
		read_exactly(in->at, (size_t)(in->end - in->at));
		break;
	case 1:
		write_and_read(in);
		break;
	default:
		size = forge(in, file, sizeof(file));
		read_exactly(file, size);
	}
}
