/* SPDX-License-Identifier: MIT */
/*
 * The life of the process: start, fork, exit.
 *
 * The fork handlers are registered in the first allocation, before those of any other library, so
 * that prepare runs after all others' and parent and child before them: their handlers may
 * allocate.
 */
#include <pthread.h>

#include "kmalloc/gfp.h"
#include "kmalloc/heap.h"
#include "malloc/background.h"
#include "observe/stats.h"
#include "os/options.h"

/* Programs close their standard error before they end, to see whether all was written. */
static int stats_fd = 2;

static void fork_child(void)
{
	background_forget();
	gate_fork_child();
	shrinkers_fork_child();
}

void heap_ready(void)
{
	if (options.stats)
		stats_fd = os_keep_fd(2);
	pthread_atfork(gate_fork_prepare, gate_fork_parent, fork_child);
}

/* Before the first allocation, wherever it comes from. */
static void __attribute__((constructor)) process_start(void)
{
	heap_init();
}

/* What was freed twice and is still in a magazine: the last chance to say so. */
static void audit(void)
{
	if (!heap_enter())
		return;
	trim_audit();
	gate_leave();
}

static void __attribute__((destructor)) process_exit(void)
{
	audit();
	if (options.stats)
		stats_print_fd(stats_fd);
}
