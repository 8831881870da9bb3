/* SPDX-License-Identifier: MIT */
/*
 * Children that share memory until they exec: vfork, posix_spawn, system, popen
 * from several threads while others allocate; and clone(CLONE_VM) threads that
 * libc knows nothing of must not disturb the heap by existing.
 */
#include "stress.h"

#include <sched.h>
#include <spawn.h>

extern char **environ;

static atomic_bool stop;
static double end_time;
static atomic_int spawned, spoiled;

static void *crew_member(void *arg)
{
	struct rng r = rng_new((uintptr_t)arg);
	void *p[64] = { 0 };
	size_t size[64];

	while (!atomic_load(&stop)) {
		size_t k = rng_below(&r, 64);

		if (p[k]) {
			MUST(stamp_holds(p[k], size[k], k), "block %p is damaged", p[k]);
			free(p[k]);
		}
		size[k] = rng_size(&r, 200000);
		p[k] = malloc(size[k]);
		stamp(p[k], size[k], k);
	}
	for (size_t k = 0; k < 64; k++)
		free(p[k]);
	return NULL;
}

static void count(int status)
{
	atomic_fetch_add(&spawned, 1);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		atomic_fetch_add(&spoiled, 1);
}

static void by_posix_spawn(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };
	pid_t pid;
	int status;

	MUST(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0, "posix_spawnp");
	waitpid(pid, &status, 0);
	count(status);
}

static void by_vfork(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	count(status);
}

static void by_popen(void)
{
	char text[64] = "";
	FILE *f = popen("echo hello", "r");

	MUST(f && fgets(text, sizeof(text), f) && strcmp(text, "hello\n") == 0, "popen");
	count(pclose(f));
}

static void by_system(void)
{
	count(system("exit 0"));
}

static void *spawner(void *arg)
{
	static void (*const ways[])(void) = { by_posix_spawn, by_vfork, by_popen, by_system };
	struct rng r = rng_new(1000 + (uintptr_t)arg);

	while (now() < end_time)
		ways[rng_below(&r, ARRAY_SIZE(ways))]();
	return NULL;
}

static void storm(void)
{
	pthread_t crew[3], s[3];

	end_time = deadline();
	for (uintptr_t i = 0; i < 3; i++) {
		crew[i] = thread_start(crew_member, (void *)i);
		s[i] = thread_start(spawner, (void *)i);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(s[i], NULL);
	atomic_store(&stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(crew[i], NULL);
	say(1, "# %d children\n", atomic_load(&spawned));
	ok(spawned > 0 && spoiled == 0, "vfork, posix_spawn, popen and system while others allocate");
}

/* Shares memory, then leaves: without an exec, without a call to malloc. */
static int silent_child(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
	return 0;
}

static void clones(void)
{
	atomic_int ran = 0;
	char *stack = malloc(64 * KIB);

	for (int i = 0; i < 500; i++) {
		pid_t pid = clone(silent_child, stack + 64 * KIB, CLONE_VM | CLONE_VFORK | SIGCHLD,
				  &ran);

		MUST(pid > 0 && waitpid(pid, NULL, 0) == pid, "clone: %s", strerror(errno));
		void *p = malloc(1 + (size_t)i * 100);

		memset(p, 1, 1 + (size_t)i * 100);
		free(p);
	}
	free(stack);
	ok(ran == 500, "clone with shared memory");
}

int main(int argc, char **argv)
{
	stress_begin(argc, argv, "spawn");
	storm();
	clones();
	return stress_end();
}
