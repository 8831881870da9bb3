/* SPDX-License-Identifier: MIT */
/*
 * What GFP flags allow, made true: which path a request takes, what is tried when memory is
 * short, and what is said when it fails.
 */
#ifndef KMALLOC_GFP_H
#define KMALLOC_GFP_H

#ifndef KMALLOC_BUILDING
#define KMALLOC_BUILDING
#endif

#include <linux/gfp_types.h>

#include "lib/compiler.h"

struct kmem_cache;

#define MAX_RECLAIM_RETRIES	16
#define COSTLY_ORDER		3

/* One request; attempt() makes one attempt at it, with whatever req->gfp then says. */
struct gfp_request {
	gfp_t gfp;
	unsigned order;			/* of the pages it takes, for retries and the report */
	size_t size, align;
	struct kmem_cache *cache;
	const void *frame;		/* for slab debugging: see slab_debug_alloc */
	void *(*attempt)(struct gfp_request *req);
};

/*
 * The slow path of every allocation: attempts, reclaim between them, and the report.  Not inside
 * the gate, since shrinkers are called.
 */
void *gfp_alloc(struct gfp_request *req);

/*
 * Flags that fast paths cannot honour.  ANY_GFP, which they add to every request, is among them
 * when slab_debug or init_on_alloc want to see all requests, and until that is known.
 */
#define ANY_GFP		0x80000000u

extern uint32_t gfp_special __hidden;
extern uint32_t gfp_always __hidden;	/* __GFP_ZERO for init_on_alloc */

__cold void gfp_look_at_options(void);

/* The bits that the calling thread's scopes leave of @gfp, and those that options add. */
gfp_t gfp_context(gfp_t gfp);

static inline bool gfp_may_block(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

/* Maps some pages for those who may not do it.  False if the system refuses. */
bool gfp_refill(void);

/* How many free pages such a request must leave to others. */
size_t gfp_watermark(gfp_t gfp);

/* Fault injection: true for every @every-th of what @requests counts; 0: never. */
static inline bool fault_due(_Atomic unsigned long *requests, size_t every)
{
	return unlikely(every) && atomic_fetch_add(requests, 1) % every == every - 1;
}

/* "GFP_KERNEL|__GFP_ZERO" */
struct gfp_text {
	char text[160];
};

struct gfp_text gfp_names(gfp_t gfp);

/* "page allocation failure", and the state of memory. */
__cold void gfp_report_failure(const struct gfp_request *req);

#define SHRINK_HALF	2		/* a priority: about half of what shrinkers have */

/* shrinker.c: one round at this priority (12: gentle, 0: everything).  Returns objects freed. */
unsigned long shrink_all(gfp_t gfp, int priority);

/* In the child of a fork. */
void shrinkers_fork_child(void);

#endif
