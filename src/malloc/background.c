/* SPDX-License-Identifier: MIT */
/*
 * The helper thread.
 *
 * It runs the epochs of reclaim (magazine/trim.c) when no thread of the program does.  It is made
 * only when there is something to return (1 MiB of dirty free pages), and ends when there has been
 * nothing to return for a while.
 *
 * A process that has one thread stays with one: programs count their threads (unshare, setns and
 * Python's fork() do), and a filter made for a single-threaded program kills it for clone().
 * Such a process returns memory when it frees it (mm/reclaim.c, slack rule).  The option
 * background=on makes the helper there too; off never makes it.  With several threads, clone()
 * has been allowed; whether a filter came later is asked before the helper is made.
 *
 * The helper is a thread of the C library, so that setuid() reaches it, with all signals blocked.
 */
#include "malloc/background.h"

#include <errno.h>

#include "magazine/thread.h"
#include "mm/reclaim.h"
#include "os/lock.h"
#include "os/options.h"

#define WANTED_PAGES	((size_t)256)	/* 1 MiB */
#define IDLE_EPOCHS	20

enum { HELPER_NONE, HELPER_STARTING, HELPER_RUNNING, HELPER_REFUSED };

static _Atomic uint32_t helper;
static _Atomic uint32_t never;		/* a word that nobody wakes */

static bool may_start(void)
{
	if (thread_tls.forking || options.background == BACKGROUND_OFF || !reclaim_epoch_ms)
		return false;
	return options.background == BACKGROUND_ON || ATOMIC_READ(nr_threads) >= 2;
}

static void run_epoch(void)
{
	if (!gate_enter())
		return;
	trim_epoch();
	gate_leave();
}

static void *helper_main(void *arg)
{
	unsigned idle = 0;

	(void)arg;
	while (idle < IDLE_EPOCHS) {
		os_futex_wait(&never, 0, reclaim_epoch_ms);
		run_epoch();
		idle = reclaim_dirty_pages() < WANTED_PAGES ? idle + 1 : 0;
	}
	atomic_store(&reclaim_in_background, false);
	atomic_store(&helper, HELPER_NONE);
	return NULL;
}

void background_consider(void)
{
	uint32_t none = HELPER_NONE;
	int saved = errno;

	ATOMIC_WRITE(reclaim_helper_wanted, false);
	if (!may_start() || !atomic_compare_exchange_strong(&helper, &none, HELPER_STARTING))
		return;
	atomic_store(&reclaim_in_background, true);
	if (os_maybe_sandboxed() || os_thread_create(helper_main, NULL)) {
		atomic_store(&reclaim_in_background, false);
		atomic_store(&helper, HELPER_REFUSED);
	} else {
		none = HELPER_STARTING;
		atomic_compare_exchange_strong(&helper, &none, HELPER_RUNNING);
	}
	errno = saved;
}

void background_forget(void)
{
	atomic_store(&helper, HELPER_NONE);
	atomic_store(&reclaim_in_background, false);
}
