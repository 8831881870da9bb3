/* SPDX-License-Identifier: MIT */
/*
 * The library opened late by a program that runs on another malloc: a language
 * binding does that. It is not the program's malloc then, but its own functions
 * must work, from new threads too, and unloading must not pull the ground from
 * under its blocks. Not linked with the library; KMALLOC_SO says where it is.
 */
#include "stress.h"

static struct {
	void *(*malloc)(size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*calloc)(size_t, size_t);
} late;

static void *find(void *lib, const char *name)
{
	void *fn = dlsym(lib, name);

	MUST(fn, "%s: %s", name, dlerror());
	return fn;
}

static void bind(void *lib)
{
	*(void **)&late.malloc = find(lib, "malloc");
	*(void **)&late.realloc = find(lib, "realloc");
	*(void **)&late.free = find(lib, "free");
	*(void **)&late.calloc = find(lib, "calloc");
}

static void *exercise(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);
	unsigned char *p[100] = { 0 };
	size_t size[100];

	for (int n = 0; n < 50000; n++) {
		size_t k = rng_below(&r, 100);

		if (p[k]) {
			MUST(stamp_holds(p[k], size[k], k), "late block %p is damaged", (void *)p[k]);
			late.free(p[k]);
		}
		size[k] = rng_size(&r, n % 100 ? 3000 : 6000000);
		p[k] = n & 1 ? late.malloc(size[k]) : late.realloc(late.calloc(1, 10), size[k] + 1);
		MUST(p[k], "late malloc(%zu)", size[k]);
		stamp(p[k], size[k], k);
	}
	for (size_t k = 0; k < 100; k++)
		late.free(p[k]);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *path = getenv("KMALLOC_SO");
	pthread_t t[4];

	stress_options(argc, argv, "lateload");
	if (!path) {
		skip("the library opened late", "KMALLOC_SO does not say where it is");
		return stress_end();
	}
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!ok(lib != NULL, "dlopen of the library")) {
		say(1, "# %s\n", dlerror());
		return stress_end();
	}
	bind(lib);
	exercise((void *)0);
	for (uintptr_t i = 0; i < 4; i++)
		t[i] = thread_start(exercise, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ok(true, "its functions work, in old and new threads");

	void *kept = late.malloc(1000);

	stamp(kept, 1000, 1);
	dlclose(lib);
	MUST(stamp_holds(kept, 1000, 1), "blocks are gone after dlclose");
	late.free(kept);
	ok(true, "blocks and functions outlive dlclose");
	return stress_end();
}
