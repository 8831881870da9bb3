/* SPDX-License-Identifier: MIT */
/*
 * replay.c: runs the allocation calls of a recorded program again.
 *
 * Stands for: that program, as far as its allocator is concerned: the same sizes in the same order
 * by as many threads, every object stamped and verified. Each thread does its own calls in order;
 * where it frees or grows an object that another thread has not allocated yet in this run, it
 * waits for it, so that every allocator is asked for the same objects whatever the timing.
 * Literature: Wilson et al. 1995 on why traces and not distributions; Chilimbi, Jones and Zorn 2000
 * on trace formats.
 * Does not show: the program's own work between the calls, so caches are warmer than in life;
 * threads run closer together.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/trace.h"
#include "worker/stamp.h"

enum { OBSERVATIONS = 150 };

struct call {
	uint64_t size;
	uint32_t object;
	uint16_t thread;
	uint8_t op;
	uint8_t align_log;
};

struct replay {
	struct call *call;
	size_t calls;
	unsigned threads;
	size_t objects;
	_Atomic(void *) *address;
	uint64_t *size;
	_Atomic(uint64_t) live, most;
};

static const void *map_trace(const char *path, size_t *size)
{
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		work_fail("cannot read the trace");
	*size = (size_t)st.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		work_fail("cannot map the trace");
	return p;
}

static void decode(struct replay *r, struct trace_reader *reader)
{
	struct trace_event e;
	int got;

	r->call = work_map(reader->events * sizeof(*r->call) + 1);
	while ((got = trace_next(reader, &e)) > 0)
		r->call[r->calls++] = (struct call){
			.size = e.size, .object = (uint32_t)e.object,
			.thread = (uint16_t)e.thread, .op = (uint8_t)e.op,
			.align_log = (uint8_t)e.align_log,
		};
	if (got < 0)
		work_fail("the trace is damaged after %zu calls", r->calls);
}

static void replay_setup(struct run *run)
{
	struct replay *r = work_map(sizeof(*r));
	struct trace_reader reader;
	const char *wrong;
	const void *data;
	size_t size;

	data = map_trace(run->trace, &size);
	wrong = trace_open(&reader, data, size);
	if (wrong)
		work_fail("%s", wrong);
	decode(r, &reader);
	r->threads = reader.threads;
	r->objects = reader.objects;
	r->address = work_map(r->objects * sizeof(void *) + 1);
	r->size = work_map(r->objects * sizeof(uint64_t) + 1);
	munmap((void *)(uintptr_t)data, size);
	run->state = r;
}

/* malloc(0) has no byte to stamp. */
static void stamp_any(void *p, uint64_t size)
{
	if (!p)
		work_fail("no memory for %llu bytes", (unsigned long long)size);
	if (size)
		stamp(p, size);
}

static void check_any(const void *p, uint64_t size)
{
	if (size)
		stamp_check(p, size);
}

static void account(struct replay *r, uint64_t more, uint64_t less)
{
	uint64_t live = atomic_fetch_add_explicit(&r->live, more - less, memory_order_relaxed);

	live += more - less;
	if (live > atomic_load_explicit(&r->most, memory_order_relaxed))
		atomic_store_explicit(&r->most, live, memory_order_relaxed);
}

static void publish(struct replay *r, const struct call *c, void *p)
{
	stamp_any(p, c->size);
	r->size[c->object] = c->size;
	atomic_store_explicit(&r->address[c->object], p, memory_order_release);
}

/* The object, once the thread that has it has put it there; it is ours now. */
static void *acquire(struct replay *r, uint32_t object)
{
	void *p;

	while (!(p = atomic_load_explicit(&r->address[object], memory_order_acquire)))
		sched_yield();
	atomic_store_explicit(&r->address[object], NULL, memory_order_relaxed);
	check_any(p, r->size[object]);
	return p;
}

static void *allocate(const struct call *c)
{
	void *p = NULL;

	switch (c->op) {
	case TRACE_CALLOC:
		p = calloc(1, c->size);
		break;
	case TRACE_MEMALIGN:
		if (posix_memalign(&p, (size_t)1 << c->align_log, c->size))
			return NULL;
		break;
	default:
		p = malloc(c->size);
	}
	return p;
}

static void do_realloc(struct replay *r, const struct call *c)
{
	void *old = acquire(r, c->object), *p;
	uint64_t size = r->size[c->object];
	uint32_t word = stamp_word(old, size);

	p = realloc(old, c->size);
	if (p && size >= 8 && c->size >= 8 && *(uint32_t *)p != word)
		work_fail("realloc from %llu to %llu lost the contents",
			  (unsigned long long)size, (unsigned long long)c->size);
	account(r, c->size, size);
	publish(r, c, p);
}

static void do_call(struct replay *r, const struct call *c)
{
	if (c->op == TRACE_REALLOC) {
		do_realloc(r, c);
	} else if (c->op == TRACE_FREE) {
		free(acquire(r, c->object));
		account(r, 0, r->size[c->object]);
	} else {
		account(r, c->size, 0);
		publish(r, c, allocate(c));
	}
}

static void replay_thread(struct run *run, unsigned thread, void *arg)
{
	struct replay *r = arg;
	size_t every = r->calls / OBSERVATIONS + 1;

	for (size_t i = 0; i < r->calls; i++) {
		if (r->call[i].thread == thread)
			do_call(r, &r->call[i]);
		if (run->observe && thread == 0 && i % every == 0)
			work_observe(atomic_load(&r->live));
	}
}

/* What the program left to the end of its life is freed here, so that a slice can run again. */
static void free_rest(struct replay *r)
{
	for (size_t i = 0; i < r->objects; i++) {
		void *p = atomic_exchange_explicit(&r->address[i], NULL, memory_order_relaxed);

		if (p)
			free(p);
	}
	atomic_store(&r->live, 0);
}

static uint64_t replay_slice(struct run *run)
{
	struct replay *r = run->state;

	if (r->threads > 1)
		work_parallel(run, r->threads, replay_thread, r);
	else
		replay_thread(run, 0, r);
	run->live = atomic_load(&r->most);
	free_rest(r);
	return r->calls;
}

const struct workload replay = {
	.name = "replay", .family = "hidden", .unit = "call", .slices = 3,
	.what = "a recorded trace (-T FILE)",
	.setup = replay_setup, .slice = replay_slice,
};
