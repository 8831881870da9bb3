/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that free memory when it is short.  See shrinker(3).
 */
#ifndef LIBKMALLOC_LINUX_SHRINKER_H
#define LIBKMALLOC_LINUX_SHRINKER_H

#include <linux/compiler.h>
#include <linux/gfp_types.h>
#include <linux/types.h>

KM_BEGIN_DECLS

struct shrink_control {
	gfp_t gfp_mask;			/* of the allocation that is short of memory */
	int nid;			/* 0 */
	unsigned long nr_to_scan;
	unsigned long nr_scanned;	/* set to nr_to_scan; the callback may correct it */
	void *memcg;			/* NULL */
};

#define SHRINK_STOP	(~0ul)		/* of scan_objects: cannot make progress now */
#define SHRINK_EMPTY	(~0ul - 1)	/* of count_objects: there are none */
#define SHRINK_BATCH	128
#define DEFAULT_SEEKS	2

#define SHRINKER_NUMA_AWARE	0x4u	/* accepted without effect */
#define SHRINKER_MEMCG_AWARE	0x8u	/* accepted without effect */
#define SHRINKER_NONSLAB	0x10u	/* accepted without effect */

/* Of Linux 2.6: frees @nr_to_scan objects, returns how many there are then; -1: cannot now. */
typedef int (*shrinker_t)(int nr_to_scan, gfp_t gfp_mask);

struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker, struct shrink_control *sc);
	long batch;			/* objects a call of scan_objects; 0: SHRINK_BATCH */
	int seeks;			/* what it costs to make an object again */
	unsigned int flags;
	void *private_data;
#if KMALLOC_API <= 26
	union {
		shrinker_t shrink;	/* instead of count_objects and scan_objects */
		shrinker_t km_shrink;
	};
#else
	shrinker_t km_shrink;
#endif
	/* The library's. */
	unsigned long km_deferred;
	unsigned int km_users;
	bool km_listed, km_leaving;
	struct {
		void *next, *prev;
	} km_list;
	char km_name[48];
};

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void shrinker_register(struct shrinker *shrinker);
/* Waits until no callback of it runs. */
void shrinker_free(struct shrinker *shrinker);

/* The older names, for structures of one's own. */
int register_shrinker(struct shrinker *shrinker, const char *fmt, ...);
void unregister_shrinker(struct shrinker *shrinker);
struct shrinker *set_shrinker(int seeks, shrinker_t shrink);
void remove_shrinker(struct shrinker *shrinker);

KM_END_DECLS

#ifndef KMALLOC_BUILDING

/* Up to Linux 5 it had no name. */
#ifdef __cplusplus
inline int register_shrinker(struct shrinker *shrinker)
{
	return register_shrinker(shrinker, "shrinker");
}
#else
#define register_shrinker(...)	(register_shrinker)(__VA_ARGS__, "shrinker")
#endif

#endif

#endif
