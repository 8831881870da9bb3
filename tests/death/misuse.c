/* SPDX-License-Identifier: MIT */
/*
 * What the default mode makes of misuse: one small program for each kind of mistake and size, run
 * by itself. Without an argument this program runs all of them, with a number it is one of them.
 *
 * A mistake is caught if the program ends by a signal or the library says a line about it; it is
 * harmless if the wrong pointer was refused or the request denied. What is known to pass unnoticed
 * stands in the table as MISSED, so that the figures in tests/RELIABILITY.md are this program's
 * last line; a mistake of that kind that is caught one day makes the test fail until the table
 * says so.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB	1024ul
#define MIB	(1024ul * 1024)
#define DENIED	42			/* exit status: the request was refused as it should */

enum verdict { CAUGHT, HARMLESS, MISSED };

void free_sized(void *ptr, size_t size);
void free_aligned_sized(void *ptr, size_t align, size_t size);
void _ZdlPvm(void *ptr, size_t size);
void _ZdlPvmSt11align_val_t(void *ptr, size_t size, size_t align);
void *pvalloc(size_t size);

/* The compiler must not know what is done to the pointer. */
static void *hidden(const void *p)
{
	uintptr_t v = (uintptr_t)p;

	__asm__ volatile("" : "+r"(v) : : "memory");
	return (void *)v;
}

static size_t hidden_size(size_t n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static void touch(volatile char *p)
{
	*p = (char)(*p + 1);
}

static void denied_if_null(const void *p)
{
	if (!hidden(p))
		_exit(DENIED);
}

/* Double frees. */

static void twice(size_t size)
{
	void *p = malloc(size);

	free(p);
	free(hidden(p));
}

static void twice_after(size_t size, unsigned others)
{
	void *p = malloc(size), *keep[300];

	for (unsigned i = 0; i < others; i++)
		keep[i] = malloc(size);
	free(p);
	for (unsigned i = 0; i < others; i++)
		free(keep[i]);
	free(hidden(p));
}

static void twice_after_one(size_t size) { twice_after(size, 1); }
static void twice_after_twenty(size_t size) { twice_after(size, 20); }
static void twice_after_many(size_t size) { twice_after(size, 300); }

static void *free_it(void *p)
{
	free(p);
	return NULL;
}

static void in_thread(void *p)
{
	pthread_t t;

	pthread_create(&t, NULL, free_it, p);
	pthread_join(t, NULL);
}

static void twice_in_threads(size_t size)
{
	void *p = malloc(size);

	in_thread(p);
	in_thread(hidden(p));
}

static void twice_here_and_there(size_t size)
{
	void *p = malloc(size);

	free(p);
	in_thread(hidden(p));
}

static void realloc_after_free(size_t size)
{
	void *p = malloc(size);

	free(p);
	free(realloc(hidden(p), size + 1));
}

static void twice_by_realloc(size_t size)
{
	void *p = malloc(size);

	if (realloc(p, 0))
		abort();
	free(hidden(p));
}

static void usable_after_free(size_t size)
{
	void *p = malloc(size);

	free(p);
	malloc_usable_size(hidden(p));
}

/* Pointers that are no objects. */

static void free_inside(size_t size)
{
	char *p = malloc(size);

	free(hidden(p + size / 2 + 1));
}

static void free_inside_aligned(size_t size)
{
	char *p = malloc(size);

	free(hidden(p + (size / 2 & ~(size_t)15)));
}

static void free_behind(size_t size)
{
	char *p = malloc(size);

	free(hidden(p + size));
}

static void free_before(size_t size)
{
	char *p = malloc(size);

	free(hidden(p - 16));
}

static void realloc_inside(size_t size)
{
	char *p = malloc(size);

	free(realloc(hidden(p + size / 2 + 1), size));
}

static void usable_inside(size_t size)
{
	char *p = malloc(size);

	malloc_usable_size(hidden(p + size / 2 + 1));
}

static char data[4096];

static void free_data(size_t at) { free(hidden(data + at)); }
static void realloc_data(size_t at) { free(realloc(hidden(data + at), 100)); }
static void usable_data(size_t at) { malloc_usable_size(hidden(data + at)); }
static void free_wild(size_t at) { free(hidden((void *)at)); }
static void free_code(size_t at) { free(hidden((void *)((uintptr_t)free_wild + at))); }

static void free_stack(size_t at)
{
	char stack[256];

	free(hidden(stack + at));
}

static void free_mapping(size_t size)
{
	free(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void free_far(size_t distance)
{
	char *p = malloc(16);

	free(hidden(p + distance));
}

/* Sizes that are not the object's. */

static void sized_too_large(size_t size) { free_sized(malloc(size), 2 * size); }
static void sized_too_small(size_t size) { free_sized(malloc(size), size / 4); }
static void delete_too_large(size_t size) { _ZdlPvm(malloc(size), 2 * size); }
static void delete_too_small(size_t size) { _ZdlPvm(malloc(size), size / 4); }

static void aligned_too_large(size_t size)
{
	_ZdlPvmSt11align_val_t(aligned_alloc(64, size), 2 * size, 64);
}

static void aligned_elsewhere(size_t size)
{
	char *p = malloc(size);

	free_aligned_sized(hidden(p), 1024 * 1024, size);
}

/* Requests that cannot be. */

static void malloc_huge(size_t size) { denied_if_null(malloc(hidden_size(size))); }
static void calloc_wraps(size_t n) { denied_if_null(calloc(hidden_size(n), n)); }
static void pvalloc_wraps(size_t size) { denied_if_null(pvalloc(hidden_size(size))); }
static void valloc_wraps(size_t size) { denied_if_null(valloc(hidden_size(size))); }
static void memalign_wraps(size_t size) { denied_if_null(memalign(4096, hidden_size(size))); }
static void memalign_huge(size_t align) { denied_if_null(memalign(hidden_size(align), 64)); }
static void aligned_wraps(size_t size) { denied_if_null(aligned_alloc(64, hidden_size(size))); }

static void array_wraps(size_t n)
{
	denied_if_null(reallocarray(malloc(16), hidden_size(n), n));
}

static void realloc_huge(size_t size)
{
	denied_if_null(realloc(malloc(16), hidden_size(size)));
}

/* Nothing was asked for. */

static void read_nothing(size_t at)
{
	volatile char *p = hidden(malloc(hidden_size(0)));

	(void)p[at];
}

static void write_nothing(size_t at) { touch((char *)hidden(malloc(hidden_size(0))) + at); }
static void calloc_nothing(size_t at) { touch((char *)hidden(calloc(hidden_size(0), 8)) + at); }

static void nothing_twice(size_t others)
{
	void *p = malloc(hidden_size(0));

	free(p);
	while (others--)
		free(malloc(hidden_size(0)));
	free(hidden(p));
}

static void nothing_inside(size_t at) { free((char *)hidden(malloc(hidden_size(0))) + at); }

/* Beyond the ends, and too late. */

static void overflow(size_t size)
{
	char *p = hidden(malloc(size));

	touch(p + malloc_usable_size(p));
	free(p);
}

static void overflow_page(size_t size)
{
	char *p = hidden(malloc(size));

	memset(p + malloc_usable_size(p), 1, 4096);
	free(p);
}

static void underflow(size_t size)
{
	char *p;

	hidden(malloc(size));		/* the first one may stand behind a guard page */
	p = hidden(malloc(size));
	touch(p - 1);
	free(p);
}

static void use_after_free(size_t size)
{
	char *p = hidden(malloc(size));

	memset(p, 1, size);
	free(p);
	touch(hidden(p));
}

static void use_after_reuse(size_t size)
{
	char *p = hidden(malloc(size)), *q;

	free(p);
	q = hidden(malloc(size));
	touch(hidden(p));
	free(q);
}

struct misuse {
	const char *name;
	void (*run)(size_t arg);
	size_t arg;
	enum verdict verdict;
};

#define SIZES4(name, fn, verdict) \
	{ name " 16", fn, 16, verdict }, { name " 100", fn, 100, verdict }, \
	{ name " 1000", fn, 1000, verdict }, { name " 20k", fn, 20000, verdict }

static const struct misuse table[] = {
	SIZES4("free twice", twice, CAUGHT),
	{ "free twice 32k", twice, 32 * KIB, CAUGHT },
	{ "free twice 100k", twice, 100 * KIB, CAUGHT },
	{ "free twice 3m", twice, 3 * MIB, CAUGHT },
	{ "free twice 8m", twice, 8 * MIB, HARMLESS },
	{ "free twice 64m", twice, 64 * MIB, HARMLESS },
	SIZES4("free a b a,", twice_after_one, CAUGHT),
	{ "free a b a, 100k", twice_after_one, 100 * KIB, CAUGHT },
	SIZES4("free twice with 20 between,", twice_after_twenty, CAUGHT),
	SIZES4("free twice with 300 between,", twice_after_many, CAUGHT),
	SIZES4("free twice in two threads,", twice_in_threads, CAUGHT),
	SIZES4("free here and in a thread,", twice_here_and_there, CAUGHT),
	SIZES4("realloc after free,", realloc_after_free, CAUGHT),
	{ "realloc after free, 100k", realloc_after_free, 100 * KIB, CAUGHT },
	SIZES4("free after realloc to 0,", twice_by_realloc, CAUGHT),
	SIZES4("malloc_usable_size after free,", usable_after_free, CAUGHT),
	SIZES4("free inside", free_inside, CAUGHT),
	{ "free inside 100k", free_inside, 100 * KIB, CAUGHT },
	{ "free inside 8m", free_inside, 8 * MIB, CAUGHT },
	{ "free inside 100, aligned", free_inside_aligned, 100, CAUGHT },
	{ "free inside 1000, aligned", free_inside_aligned, 1000, CAUGHT },
	{ "free inside 100k, aligned", free_inside_aligned, 100 * KIB, CAUGHT },
	{ "free behind 16", free_behind, 16, CAUGHT },
	{ "free behind 100", free_behind, 100, CAUGHT },
	{ "free behind 100k", free_behind, 100 * KIB, CAUGHT },
	{ "free before 1000", free_before, 1000, CAUGHT },
	{ "free before 8m", free_before, 8 * MIB, HARMLESS },
	SIZES4("realloc inside", realloc_inside, CAUGHT),
	{ "realloc inside 100k", realloc_inside, 100 * KIB, CAUGHT },
	SIZES4("malloc_usable_size inside", usable_inside, CAUGHT),
	{ "free of data", free_data, 64, HARMLESS },
	{ "free of data, odd", free_data, 65, HARMLESS },
	{ "realloc of data", realloc_data, 64, HARMLESS },
	{ "malloc_usable_size of data", usable_data, 64, HARMLESS },
	{ "free of the stack", free_stack, 64, HARMLESS },
	{ "free of code", free_code, 0, HARMLESS },
	{ "free of a mapping", free_mapping, 64 * KIB, HARMLESS },
	{ "free of 1", free_wild, 1, HARMLESS },
	{ "free of 0xdeadbeef", free_wild, 0xdeadbeef, HARMLESS },
	{ "free far above", free_far, 1024 * MIB, HARMLESS },
	{ "free a slab above", free_far, 16 * KIB, CAUGHT },
	{ "free_sized too large 100", sized_too_large, 100, CAUGHT },
	{ "free_sized too large 100k", sized_too_large, 100 * KIB, CAUGHT },
	{ "free_sized too small 100", sized_too_small, 100, CAUGHT },
	{ "free_sized too small 100k", sized_too_small, 100 * KIB, CAUGHT },
	{ "delete too large 100", delete_too_large, 100, CAUGHT },
	{ "delete too large 100k", delete_too_large, 100 * KIB, CAUGHT },
	{ "delete too small 100", delete_too_small, 100, MISSED },
	{ "aligned delete too large 128", aligned_too_large, 128, CAUGHT },
	{ "free_aligned_sized elsewhere", aligned_elsewhere, 100, CAUGHT },
	{ "malloc of SIZE_MAX", malloc_huge, SIZE_MAX, HARMLESS },
	{ "malloc of PTRDIFF_MAX + 1", malloc_huge, (size_t)PTRDIFF_MAX + 1, HARMLESS },
	{ "calloc that wraps", calloc_wraps, (size_t)1 << 33, HARMLESS },
	{ "pvalloc that wraps", pvalloc_wraps, SIZE_MAX - 100, HARMLESS },
	{ "valloc that wraps", valloc_wraps, SIZE_MAX - 100, HARMLESS },
	{ "memalign that wraps", memalign_wraps, SIZE_MAX - 100, HARMLESS },
	{ "memalign to 2^63", memalign_huge, (size_t)1 << 63, HARMLESS },
	{ "aligned_alloc that wraps", aligned_wraps, SIZE_MAX - 10, HARMLESS },
	{ "reallocarray that wraps", array_wraps, (size_t)1 << 33, HARMLESS },
	{ "realloc to SIZE_MAX", realloc_huge, SIZE_MAX, HARMLESS },
	{ "read of malloc(0)", read_nothing, 0, CAUGHT },
	{ "read behind malloc(0)", read_nothing, 15, CAUGHT },
	{ "write to malloc(0)", write_nothing, 0, CAUGHT },
	{ "write to calloc(0, 8)", calloc_nothing, 0, CAUGHT },
	{ "free of malloc(0) twice", nothing_twice, 0, CAUGHT },
	{ "free inside malloc(0)", nothing_inside, 8, CAUGHT },
	SIZES4("overflow", overflow, MISSED),
	{ "overflow 100k", overflow, 100 * KIB, MISSED },
	{ "overflow 8m", overflow, 8 * MIB, CAUGHT },
	{ "overflow by a page, 64m", overflow_page, 64 * MIB, CAUGHT },
	SIZES4("underflow", underflow, MISSED),
	{ "underflow 8m", underflow, 8 * MIB, CAUGHT },
	SIZES4("use after free", use_after_free, MISSED),
	{ "use after free 8m", use_after_free, 8 * MIB, CAUGHT },
	SIZES4("use after reuse", use_after_reuse, MISSED),
};

#define NR_MISUSES	(sizeof(table) / sizeof(table[0]))

static void become(unsigned number, int err)
{
	const struct rlimit no_core = { 0, 0 };
	char arg[16];

	setrlimit(RLIMIT_CORE, &no_core);
	dup2(err, 2);
	alarm(30);
	unsetenv("KMALLOC_OPTIONS");
	snprintf(arg, sizeof(arg), "%u", number);
	execl("/proc/self/exe", "misuse", arg, (char *)NULL);
	_exit(127);
}

static bool run(unsigned number, int *status, char *text, size_t room)
{
	int err[2];
	ssize_t n;
	pid_t pid;

	if (pipe(err))
		return false;
	pid = fork();
	if (!pid)
		become(number, err[1]);
	close(err[1]);
	n = read(err[0], text, room - 1);
	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && strchr(text, '\n'))
		*strchr(text, '\n') = '\0';
	waitpid(pid, status, 0);
	close(err[0]);
	return pid > 0;
}

static bool said(const char *text)
{
	return strncmp(text, "libkmalloc: ", 12) == 0;
}

static enum verdict judge(int status, const char *text)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM)
		return CAUGHT;
	if (said(text) || (WIFEXITED(status) && WEXITSTATUS(status) == DENIED))
		return HARMLESS;
	return MISSED;
}

static enum verdict report(unsigned i)
{
	static const char *const words[] = { "caught", "refused", "missed" };
	enum verdict verdict = MISSED;
	char text[512] = "";
	int status = 0;

	if (run(i, &status, text, sizeof(text)))
		verdict = judge(status, text);
	printf("%sok %u - %s: %s%s%s\n", verdict == table[i].verdict ? "" : "not ", i + 1,
	       table[i].name, words[verdict], *text ? ": " : "", text);
	if (verdict != table[i].verdict)
		printf("# should have been %s; wait status %#x\n", words[table[i].verdict],
		       (unsigned)status);
	fflush(stdout);
	return verdict;
}

int main(int argc, char **argv)
{
	unsigned i, nr[3] = { 0 };

	if (argc == 2) {
		const struct misuse *m = &table[(unsigned)atoi(argv[1]) % NR_MISUSES];

		m->run(m->arg);
		return 0;
	}
	printf("1..%zu\n", NR_MISUSES);
	for (i = 0; i < NR_MISUSES; i++)
		nr[report(i)]++;
	printf("# %u caught, %u refused, %u missed of %zu\n", nr[CAUGHT], nr[HARMLESS], nr[MISSED],
	       NR_MISUSES);
	return 0;
}
