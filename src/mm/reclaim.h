/* SPDX-License-Identifier: MIT */
/*
 * When memory goes back to the system.
 */
#ifndef MM_RECLAIM_H
#define MM_RECLAIM_H

#include "lib/compiler.h"

/* A third of a decay period: what was not needed through a whole one goes back. */
extern unsigned reclaim_epoch_ms;	/* 0: everything goes back at once */

/* Is a helper thread at work, so that nobody else needs to hurry? */
extern _Atomic bool reclaim_in_background;

/* There is so much to return that a helper would pay: set by reclaim_note_free. */
extern _Atomic bool reclaim_helper_wanted __hidden;

void reclaim_init(unsigned decay_ms);

/* Has an epoch ended?  If so the caller, and nobody else, must run reclaim_epoch. */
bool reclaim_due(void);

/* Purges what nobody needed in the epoch that ended. */
void reclaim_epoch(void);

/*
 * Pages became dirty and free.  Without a helper an idle process would keep them, so beyond a
 * slack that adapts to what the program does, they are purged here and now.
 */
void reclaim_note_free(void);

/* The pages in use and what may be dirty and free beside them. */
size_t reclaim_used_pages(void);
size_t reclaim_slack(void);

/* What callers hold, as far as somebody counted: less than the pages in use, which have holes. */
extern _Atomic size_t reclaim_live_pages __hidden;

/* @pages were given back without waiting for an epoch. */
void reclaim_note_purge(size_t pages);

/* @pages clean pages had to be faulted in: was it because they were purged too early? */
void reclaim_note_fault(size_t pages);

/* Everything that can go back goes back now.  Returns pages. */
size_t reclaim_all(void);

/* Dirty free pages, in blocks and in areas kept for reuse. */
size_t reclaim_dirty_pages(void);

#endif
