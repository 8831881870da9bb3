/* SPDX-License-Identifier: MIT */
/*
 * dlopen and dlclose in loops, from one thread and from several, of a plugin
 * that allocates in its constructor: the loader's own allocations, the plugin's
 * and its thread-locals all come from us and all go back.
 */
#include "stress.h"

static char path[4096];

/* The plugin is built beside the program, by libtool below .libs. */
static bool find_plugin(void)
{
	static const char *const places[] = { "plugin.so", ".libs/plugin.so" };
	char self[3000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return false;
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		if (access(path, R_OK) == 0)
			return true;
	}
	snprintf(path, sizeof(path), "%s/../plugin.so", self);
	return access(path, R_OK) == 0;
}

static void once(void)
{
	void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*check)(void);

	MUST(plugin, "dlopen: %s", dlerror());
	*(void **)&check = dlsym(plugin, "plugin_check");
	MUST(check && check() == 0, "the plugin's blocks are damaged");
	dlclose(plugin);
	MUST(!dlopen("/nonexistent/plugin.so", RTLD_NOW) && dlerror(), "dlopen of nothing");
}

static void *loop(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++)
		once();
	return NULL;
}

static void loops(int threads, int rounds, const char *what)
{
	pthread_t t[8];

	for (int i = 0; i < 50; i++)
		once();
	size_t before = resident();

	for (int i = 0; i < threads; i++)
		t[i] = thread_start(loop, &rounds);
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	malloc_trim(0);
	say(1, "# resident %zu KiB before, %zu after\n", before / KIB, resident() / KIB);
	ok(resident() < before + 4 * MIB, what);
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "plugins");
	if (!find_plugin()) {
		say(1, "Bail out! plugin.so is not beside the program\n");
		return EXIT_HARD;
	}
	loops(1, (int)(stress.seconds * 1000), "dlopen and dlclose in a loop");
	loops(4, (int)(stress.seconds * 100), "dlopen and dlclose from four threads");
	return stress_end();
}
