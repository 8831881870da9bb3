/* SPDX-License-Identifier: MIT */
/* test_trace.c: the trace format, and packing the recorder's log into it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/prng.h"
#include "common/trace.h"
#include "driver/pack.h"

enum { BUFFER = 1 << 20 };

static unsigned char buffer[BUFFER];

static size_t write_all(struct trace_event *e, size_t n)
{
	FILE *f = tmpfile();
	struct trace_writer w;
	size_t size;

	cr_assert(f && !trace_begin(&w, f));
	for (size_t i = 0; i < n; i++)
		cr_assert(!trace_write(&w, &e[i]));
	cr_assert(!trace_end(&w));
	rewind(f);
	size = fread(buffer, 1, BUFFER, f);
	fclose(f);
	return size;
}

static void expect_event(struct trace_reader *r, const struct trace_event *want)
{
	struct trace_event got;

	cr_assert(trace_next(r, &got) == 1);
	cr_assert(got.op == want->op && got.thread == want->thread);
	cr_assert(got.object == want->object);
	cr_assert(got.size == (want->op == TRACE_FREE ? 0 : want->size));
	if (want->op == TRACE_MEMALIGN)
		cr_assert(got.align_log == want->align_log);
}

Test(trace, what_is_written_is_read)
{
	struct trace_event e[] = {
		{ .op = TRACE_MALLOC, .size = 0 },
		{ .op = TRACE_CALLOC, .size = 127 },
		{ .op = TRACE_MALLOC, .size = 128, .thread = 3 },
		{ .op = TRACE_MEMALIGN, .size = UINT64_C(1) << 40, .thread = 3, .align_log = 12 },
		{ .op = TRACE_REALLOC, .object = 1, .size = UINT64_MAX, .thread = 200 },
		{ .op = TRACE_FREE, .object = 0, .thread = 200 },
		{ .op = TRACE_FREE, .object = 3 },
	};
	size_t n = sizeof(e) / sizeof(e[0]), size = write_all(e, n);
	struct trace_reader r;
	struct trace_event got;

	cr_assert_null(trace_open(&r, buffer, size));
	cr_assert(r.events == n && r.objects == 4 && r.threads == 201);
	for (size_t i = 0; i < n; i++)
		expect_event(&r, &e[i]);
	cr_assert(trace_next(&r, &got) == 0);
}

Test(trace, the_format_is_what_the_header_file_says)
{
	struct trace_event e[] = { { .op = TRACE_MALLOC, .size = 300 },
				   { .op = TRACE_FREE, .object = 0, .thread = 1 } };
	size_t size = write_all(e, 2);
	static const unsigned char body[] = { 0, 0xac, 2, 4 | 8, 1, 0 };

	cr_assert(size == TRACE_HEADER + sizeof(body));
	cr_assert(!memcmp(buffer, "kmtrace1", 8));
	cr_assert(buffer[8] == 2 && buffer[16] == 1 && buffer[24] == 2);
	cr_assert(!memcmp(buffer + TRACE_HEADER, body, sizeof(body)));
}

static void random_events(struct trace_event *e, size_t n)
{
	uint64_t objects = 0;
	struct prng r;

	prng_seed(&r, 9);
	for (size_t i = 0; i < n; i++) {
		e[i] = (struct trace_event){
			.op = objects ? prng_below(&r, TRACE_OPS) : TRACE_MALLOC,
			.thread = prng_below(&r, 5), .align_log = 4 + prng_below(&r, 16),
			.size = prng_next(&r) >> prng_below(&r, 64),
		};
		e[i].object = trace_allocates(e[i].op) ? objects++
						       : prng_below(&r, (uint32_t)objects);
	}
}

Test(trace, ten_thousand_random_events)
{
	enum { N = 10000 };
	static struct trace_event e[N];
	struct trace_reader r;
	size_t size;

	random_events(e, N);
	size = write_all(e, N);
	cr_assert_null(trace_open(&r, buffer, size));
	for (size_t i = 0; i < N; i++)
		expect_event(&r, &e[i]);
}

Test(trace, damage_is_noticed)
{
	struct trace_event e[] = { { .op = TRACE_MALLOC, .size = 300 },
				   { .op = TRACE_FREE, .object = 0 } };
	size_t size = write_all(e, 2);
	struct trace_reader r;

	for (size_t i = 0; i < size; i++) {
		struct trace_event got;
		int end = 1;

		buffer[i] ^= 0x40;
		if (!trace_open(&r, buffer, size))
			while ((end = trace_next(&r, &got)) > 0)
				;
		cr_assert(end != 0, "a changed byte %zu passed", i);
		buffer[i] ^= 0x40;
	}
	cr_assert_not_null(trace_open(&r, buffer, size - 1), "a cut file passed");
	cr_assert_not_null(trace_open(&r, buffer, 10));
}

static struct raw_file *raw_log(const struct raw_record *records, size_t n)
{
	struct raw_file *raw = calloc(1, sizeof(*raw) + n * sizeof(*records));

	memcpy(raw->record, records, n * sizeof(*records));
	raw->capacity = n;
	atomic_store(&raw->reserved, n);
	return raw;
}

static size_t pack_all(struct raw_file *raw, struct pack_result *result)
{
	FILE *f = tmpfile();
	size_t size;

	cr_assert(f && !pack(raw, f, result));
	rewind(f);
	size = fread(buffer, 1, BUFFER, f);
	fclose(f);
	free(raw);
	return size;
}

Test(pack, addresses_become_objects)
{
	static const struct raw_record log[] = {
		{ .op = RAW_MALLOC, .address = 0x1000, .size = 10 },
		{ .op = RAW_FREE, .address = 0x1000 },
		{ .op = RAW_MALLOC, .address = 0x1000, .size = 20, .thread = 1 },
		{ .op = RAW_FREE, .address = 0x9990 },			/* a stranger */
		{ .op = RAW_REALLOC_BEGIN, .address = 0x1000 },
		{ .op = RAW_MALLOC, .address = 0x1000, .size = 30, .thread = 1 },
		{ .op = RAW_REALLOC_END, .address = 0x2000, .size = 40 },
		{ .op = RAW_NONE },
		{ .op = RAW_FREE, .address = 0x2000 },
		{ .op = RAW_FREE, .address = 0x2000 },			/* one more */
	};
	static const struct trace_event want[] = {
		{ .op = TRACE_MALLOC, .object = 0, .size = 10 },
		{ .op = TRACE_FREE, .object = 0 },
		{ .op = TRACE_MALLOC, .object = 1, .size = 20, .thread = 1 },
		{ .op = TRACE_MALLOC, .object = 2, .size = 30, .thread = 1 },
		{ .op = TRACE_REALLOC, .object = 1, .size = 40 },
		{ .op = TRACE_FREE, .object = 1 },
	};
	struct pack_result result;
	struct trace_reader r;
	size_t size = pack_all(raw_log(log, sizeof(log) / sizeof(log[0])), &result);

	cr_assert(result.events == 6 && result.objects == 3 && result.strangers == 2);
	cr_assert_null(trace_open(&r, buffer, size));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		expect_event(&r, &want[i]);
}

Test(pack, a_failed_realloc_leaves_the_object)
{
	static const struct raw_record log[] = {
		{ .op = RAW_MALLOC, .address = 0x1000, .size = 10 },
		{ .op = RAW_REALLOC_BEGIN, .address = 0x1000 },
		{ .op = RAW_REALLOC_END, .address = 0x1000, .size = UINT64_MAX },
		{ .op = RAW_FREE, .address = 0x1000 },
	};
	struct pack_result result;

	pack_all(raw_log(log, 4), &result);
	cr_assert(result.events == 2 && result.objects == 1 && result.strangers == 0);
}

Test(pack, many_addresses_and_a_full_log)
{
	enum { N = 200000 };
	static struct raw_record log[N];
	struct pack_result result;
	struct raw_file *raw;

	for (uint64_t i = 0; i < N; i++)
		log[i] = (struct raw_record){
			.op = i < N / 2 ? RAW_MALLOC : RAW_FREE, .size = 16,
			.address = 0x10000 + i % (N / 2) * 16,
		};
	raw = raw_log(log, N);
	atomic_store(&raw->reserved, N + 17);
	pack_all(raw, &result);
	cr_assert(result.events == N && result.objects == N / 2);
	cr_assert(result.strangers == 0 && result.dropped == 17);
}
