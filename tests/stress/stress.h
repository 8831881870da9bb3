/* SPDX-License-Identifier: MIT */
/*
 * What the stress programs share: TAP on standard output (one line a theme), a
 * deadline, a seeded generator, and blocks that are stamped when they are given
 * and verified before they go back. Plain C without a framework, so that the
 * programs also run under sanitizers and valgrind.
 *
 *   --seconds N   how long each theme runs (environment: STRESS_SECONDS)
 *   --seed N      the generator's seed (environment: STRESS_SEED)
 *
 * STRESS_ALLOCATOR=any lets a program run on whatever malloc it finds, to try
 * the program itself; otherwise anything but libkmalloc is an error (exit 99).
 */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KIB		((size_t)1 << 10)
#define MIB		((size_t)1 << 20)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define EXIT_HARD	99	/* automake: an error, not a failure */

static struct {
	const char *name;
	double seconds;
	uint64_t seed;
	int tests;
	int failed;
} stress = { .seconds = 2 };

/* -- Saying so, without stdio: it may be asked in a forked child or under a limit -- */

__attribute__((format(printf, 2, 3)))
static inline void say(int fd, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(text) - 1)
		n = (int)sizeof(text) - 1;
	if (write(fd, text, (size_t)n) != n)
		_exit(EXIT_HARD);
}

/* A broken block: where and with what seed, then a core for the debugger. */
#define DIE(...) do {							\
	say(2, "# %s: %s:%d: seed %llu: ", stress.name, __FILE__, __LINE__, \
	    (unsigned long long)stress.seed);				\
	say(2, __VA_ARGS__);						\
	say(2, "\n");							\
	abort();							\
} while (0)

#define MUST(cond, ...) do {						\
	if (!(cond))							\
		DIE(__VA_ARGS__);					\
} while (0)

static inline bool ok(bool good, const char *what)
{
	say(1, "%sok %d - %s\n", good ? "" : "not ", ++stress.tests, what);
	stress.failed += !good;
	return good;
}

static inline void skip(const char *what, const char *why)
{
	say(1, "ok %d - %s # SKIP %s\n", ++stress.tests, what, why);
}

static inline int stress_end(void)
{
	say(1, "1..%d\n", stress.tests);
	return stress.failed != 0;
}

static inline void stress_require_ours(void)
{
	const char *want = getenv("STRESS_ALLOCATOR");
	Dl_info info = { 0 };
	void *fn = dlsym(RTLD_DEFAULT, "malloc");

	if (want && strcmp(want, "any") == 0)
		return;
	if (fn && dladdr(fn, &info) && info.dli_fname && strstr(info.dli_fname, "libkmalloc"))
		return;
	say(1, "Bail out! malloc is bound to %s, not to libkmalloc\n",
	    info.dli_fname ? info.dli_fname : "nothing");
	_exit(EXIT_HARD);
}

/* Options only; a program that never binds our malloc itself calls this one. */
static inline void stress_options(int argc, char **argv, const char *name)
{
	const char *seconds = getenv("STRESS_SECONDS"), *seed = getenv("STRESS_SEED");

	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "--seconds") == 0)
			seconds = argv[i + 1];
		if (strcmp(argv[i], "--seed") == 0)
			seed = argv[i + 1];
	}
	stress.name = name;
	if (seconds)
		stress.seconds = strtod(seconds, NULL);
	stress.seed = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) ^ (uint64_t)getpid();
	say(1, "# %s: seed %llu\n", name, (unsigned long long)stress.seed);
}

static inline void stress_begin(int argc, char **argv, const char *name)
{
	stress_options(argc, argv, name);
	stress_require_ours();
}

/* -- Time -- */

static inline double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static inline double deadline(void)
{
	return now() + stress.seconds;
}

static inline void nap(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

/* -- Random numbers: one generator a thread -- */

struct rng {
	uint64_t state;
};

static inline struct rng rng_new(uint64_t salt)
{
	return (struct rng){ (stress.seed + 1) * 0x9e3779b97f4a7c15u ^ (salt + 1) * 0xbf58476d1ce4e5b9u };
}

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline size_t rng_below(struct rng *r, size_t n)
{
	return (size_t)(rng_next(r) % n);
}

/* Sizes as programs ask for them: any magnitude up to max equally often. */
static inline size_t rng_size(struct rng *r, size_t max)
{
	size_t bits = 1 + rng_below(r, 64 - (size_t)__builtin_clzll(max));
	size_t n = rng_below(r, (size_t)1 << bits);

	return n < max ? n : max;
}

/* -- Stamped blocks -- */

static inline uint64_t stamp_word(uint64_t key, size_t i)
{
	return (key ^ i) * 0x9e3779b97f4a7c15u + key;
}

/*
 * Both ends and one word in 256 bytes between them: enough to see an overlap of
 * any two blocks, cheap enough for megabytes.
 */
static inline size_t stamp_step(size_t i, size_t words)
{
	return i < 32 || i + 32 >= words ? 1 : words - 32 - i < 32 ? words - 32 - i : 32;
}

static inline void stamp(void *p, size_t size, uint64_t key)
{
	size_t words = size / 8;
	unsigned char *c = p;

	for (size_t i = 0; i < words; i += stamp_step(i, words)) {
		uint64_t w = stamp_word(key, i);

		memcpy(c + i * 8, &w, 8);
	}
	for (size_t i = words * 8; i < size; i++)
		c[i] = (unsigned char)(key + i);
}

static inline bool stamp_holds(const void *p, size_t size, uint64_t key)
{
	size_t words = size / 8;
	const unsigned char *c = p;
	uint64_t w;

	for (size_t i = 0; i < words; i += stamp_step(i, words)) {
		memcpy(&w, c + i * 8, 8);
		if (w != stamp_word(key, i))
			return false;
	}
	for (size_t i = words * 8; i < size; i++)
		if (c[i] != (unsigned char)(key + i))
			return false;
	return true;
}

/* The stamp of the first `keep` bytes of a block once stamped as `size`: what realloc keeps. */
static inline bool stamp_prefix_holds(const void *p, size_t keep, size_t size, uint64_t key)
{
	size_t words = size / 8;
	const unsigned char *c = p;
	uint64_t w;

	for (size_t i = 0; i < words && i * 8 + 8 <= keep; i += stamp_step(i, words)) {
		memcpy(&w, c + i * 8, 8);
		if (w != stamp_word(key, i))
			return false;
	}
	return true;
}

/* -- The process -- */

/* Bytes resident, read without malloc. */
static inline size_t resident(void)
{
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		DIE("no /proc/self/statm");
	close(fd);
	return strtoul(strchr(text, ' '), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * The status of a child that must end within some seconds: a hang is what fork
 * tests look for, so it is killed and reported instead of waited for.
 */
static inline int wait_child(pid_t pid, double seconds)
{
	double end = now() + seconds;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		usleep(200);
	}
	return status;
}

static inline bool ended_well(int status)
{
	return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline pthread_t thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	int rc = pthread_create(&t, NULL, fn, arg);

	MUST(rc == 0, "pthread_create: %s", strerror(rc));
	return t;
}

#endif /* TESTS_STRESS_H */
