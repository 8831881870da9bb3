/* SPDX-License-Identifier: MIT */
/*
 * RCU is liburcu's, if the program has it.
 */
#ifndef KMALLOC_RCU_H
#define KMALLOC_RCU_H

#include "mm/page.h"

bool rcu_is_there(void);

/* Makes liburcu start what it needs; may allocate, so not inside the gate. */
void rcu_prepare(void);

/* The pages of a slab go after a grace period.  False if there is no RCU. */
bool rcu_defer_slab(struct page *slab);

/* Waits until everything deferred is done.  Not inside the gate. */
void rcu_barrier_all(void);

#endif
