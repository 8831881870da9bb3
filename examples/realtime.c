/* SPDX-License-Identifier: MIT */
/*
 * A loop that must not wait: what it may need is set aside beforehand in a sheaf, and then taken
 * without a lock, without a system call and without the possibility of failure. To prove it, the
 * loop runs where every system call but read, write and _exit ends the process.
 */
#include <linux/slab.h>

#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLES	64

struct sample {
	double value[16];
};

static long loop(struct kmem_cache *cache, struct slab_sheaf *sheaf)
{
	struct sample *held[SAMPLES];
	long taken = 0;
	int i;

	for (i = 0; i < SAMPLES; i++) {
		held[i] = kmem_cache_alloc_from_sheaf(cache, GFP_NOWAIT, sheaf);
		if (!held[i])
			break;
		held[i]->value[0] = i;
		taken++;
	}
	return taken;
}

int main(void)
{
	struct kmem_cache *cache = KMEM_CACHE(sample, SLAB_HWCACHE_ALIGN);
	struct slab_sheaf *sheaf = kmem_cache_prefill_sheaf(cache, GFP_KERNEL, SAMPLES);
	int status;
	pid_t child;

	if (!sheaf)
		return 1;
	child = fork();
	if (!child) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			syscall(SYS_exit, 2);
		syscall(SYS_exit, loop(cache, sheaf) == SAMPLES ? 0 : 1);
	}
	waitpid(child, &status, 0);
	printf("%d samples without a system call: %s\n", SAMPLES, status ? "no" : "yes");
	kmem_cache_return_sheaf(cache, GFP_KERNEL, sheaf);
	kmem_cache_destroy(cache);
	return status != 0;
}
