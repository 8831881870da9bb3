/* SPDX-License-Identifier: MIT */
/*
 * recorder.c: kmalloc-bench-record.so, preloaded into a program whose allocation calls
 * `kmalloc-bench record` writes down.
 *
 * Memory comes from the C library's own malloc through its __libc_ names, so nothing has to be
 * looked up and no call comes too early. A call costs one atomic addition and 24 bytes written to
 * a shared mapping of fixed size; when that is full the rest is dropped and the count says so.
 * An address is logged as free before it is given back and as allocated after it was received, so
 * in the log no address is ever in use twice. One process is recorded, that whose number stands in
 * KB_RECORD ("PID:FILE"), also after it has become another program by exec: a forked child has the
 * same addresses and would make nonsense of the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/rawtrace.h"

/* malloc.h declares the family; these are the C library's second names for it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static struct raw_file *file;
static __thread uint16_t thread __attribute__((tls_model("initial-exec")));

static uint16_t this_thread(void)
{
	if (!thread)
		thread = (uint16_t)(atomic_fetch_add(&file->threads, 1) + 1);
	return (uint16_t)(thread - 1);
}

static void record(enum raw_op op, const void *p, size_t size, size_t align)
{
	uint64_t slot;

	if (!file)
		return;
	slot = atomic_fetch_add_explicit(&file->reserved, 1, memory_order_relaxed);
	if (slot >= file->capacity)
		return;
	file->record[slot] = (struct raw_record){
		.address = (uintptr_t)p, .size = size, .thread = this_thread(),
		.op = (uint8_t)op,
		.align_log = (uint8_t)(align ? __builtin_ctzll(align) : 0),
	};
}

static void stop_in_child(void)
{
	file = NULL;
}

/* The file to record to, if this is the process to record. */
static const char *record_path(void)
{
	const char *spec = getenv("KB_RECORD");
	char *path;

	if (!spec || strtol(spec, &path, 10) != getpid() || *path != ':')
		return NULL;
	return path + 1;
}

__attribute__((constructor)) static void recorder_start(void)
{
	const char *path = record_path();
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return;
	if (!fstat(fd, &st))
		p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	pthread_atfork(NULL, NULL, stop_in_child);
	file = p;
	atomic_store(&file->threads, 0);	/* after an exec there is one thread again */
}

void *malloc(size_t size)
{
	void *p = __libc_malloc(size);

	if (p)
		record(RAW_MALLOC, p, size, 0);
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = __libc_calloc(n, size);

	if (p)
		record(RAW_CALLOC, p, n * size, 0);
	return p;
}

void free(void *p)
{
	if (p)
		record(RAW_FREE, p, 0, 0);
	__libc_free(p);
}

void *realloc(void *p, size_t size)
{
	void *q;

	if (!p)
		return malloc(size);
	record(RAW_REALLOC_BEGIN, p, 0, 0);
	q = __libc_realloc(p, size);
	/* On failure the old block is still there: it comes back into use as it was. */
	record(RAW_REALLOC_END, q || size == 0 ? q : p, q || size == 0 ? size : SIZE_MAX, 0);
	return q;
}

void *memalign(size_t align, size_t size)
{
	void *p = __libc_memalign(align, size);

	if (p)
		record(RAW_MEMALIGN, p, size, align);
	return p;
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	int before = errno;
	void *q;

	if (align % sizeof(void *) || align & (align - 1) || !align)
		return EINVAL;
	q = memalign(align, size);
	errno = before;
	if (!q)
		return ENOMEM;
	*p = q;
	return 0;
}

void *valloc(size_t size)
{
	return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}
