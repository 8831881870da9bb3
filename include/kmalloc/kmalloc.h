/* SPDX-License-Identifier: MIT */
/*
 * libkmalloc: what the library can say about itself. See libkmalloc(7).
 *
 * None of these functions allocates memory; they may be called from any thread.
 */
#ifndef KMALLOC_KMALLOC_H
#define KMALLOC_KMALLOC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * kmalloc_version - version of the library that is loaded
 *
 * Return: text like "1.2.3", valid for ever.
 */
const char *kmalloc_version(void);

/*
 * All sizes in bytes. Fields are only ever added, at the end; KMALLOC_STATS_VERSION grows with
 * each addition.
 *
 *	heap_bytes = slab_bytes + page_bytes + free_dirty_bytes + free_clean_bytes
 *	slab_bytes = live_object_bytes + cached_thread_bytes + cached_depot_bytes +
 *		     free_object_bytes + own_bytes + what slabs cannot divide
 *	live_bytes = live_object_bytes + page_bytes + vmalloc_bytes
 *	mapped_bytes = heap_bytes + vmalloc_bytes + vmalloc_lazy_bytes
 */
#define KMALLOC_STATS_VERSION 1

struct kmalloc_stats {
	uint64_t version;		/* of the library that filled this in */
	uint64_t live_bytes;		/* in use by the program, rounded up to what it got */
	uint64_t live_objects;		/* of them in caches: how many */
	uint64_t live_object_bytes;	/* and how large together */
	uint64_t page_bytes;		/* runs of pages from the buddy allocator in use */
	uint64_t vmalloc_areas;		/* mappings of their own in use: how many */
	uint64_t vmalloc_bytes;		/* and how large together */
	uint64_t vmalloc_lazy_bytes;	/* freed mappings kept for reuse */
	uint64_t cached_thread_bytes;	/* free objects in the magazines of threads */
	uint64_t cached_depot_bytes;	/* free objects in the magazines of depots */
	uint64_t free_object_bytes;	/* free objects in slabs */
	uint64_t slab_bytes;		/* pages of slabs */
	uint64_t own_bytes;		/* objects that the library itself uses */
	uint64_t free_dirty_bytes;	/* free pages that still hold memory */
	uint64_t free_clean_bytes;	/* free pages that hold none */
	uint64_t heap_bytes;		/* pages in the care of the buddy allocator */
	uint64_t mapped_bytes;		/* address space in use for all of this */
	uint64_t returned_bytes;	/* given back to the system since the start, all in all */
	uint64_t caches;		/* how many there are */
};

/**
 * kmalloc_stats_get - statistics of the whole heap
 * @stats: where they go
 * @size: sizeof(struct kmalloc_stats) as the caller was compiled
 *
 * A caller compiled for an older library gets the fields that it knows; one compiled for a newer
 * library gets zero in those that this one does not have. Other threads go on meanwhile, so the
 * fields are not of one instant.
 *
 * Context: takes the locks of the heap one after another, a few instructions each. Not in a signal
 * handler.
 * Return: 0, or -1 with errno EINVAL if @size is less than that of the version field.
 */
int kmalloc_stats_get(struct kmalloc_stats *stats, size_t size);

/**
 * kmalloc_stats_print - the same for people, with a table of the caches
 * @fd: open for writing
 *
 * The table has the format of the kernel's /proc/slabinfo, version 2.1. Nothing is buffered.
 */
void kmalloc_stats_print(int fd);

/**
 * kmalloc_slab_tree - the caches as the files of the kernel's /sys/kernel/slab
 * @directory: there already, best an empty one
 *
 * Makes a folder for each cache and in it a file for each attribute, in the kernel's format, so
 * that what reads the kernel's tree can read this one. Files that are there are replaced,
 * folders of caches that are gone stay. Of caches that were merged there is one folder, with the
 * name of the first; of several with the same name, one is shown. A '/' in a name, and a '.' at its
 * beginning, become '!'.
 *
 * Context: may block: makes system calls (openat, mkdirat, write, close). Other threads go on
 * meanwhile; only the destruction of a cache waits while its own folder is written. Not in a signal
 * handler.
 * Return: 0, or -1 with errno: that of a system call that failed, or EAGAIN if the caller is inside
 * malloc or another thread has been forking for too long. The tree is incomplete then.
 */
int kmalloc_slab_tree(const char *directory);

/**
 * malloc_object_size - bytes from a pointer to the end of the object that it points into
 * @ptr: any pointer
 *
 * An upper bound, for checks before a copy; not what may be used, which malloc_usable_size says.
 * The names are hardened_malloc's. An object that is known not to be in use is reported.
 *
 * Context: may take a lock for a few instructions; after fork and in threads as malloc. Not in a
 * signal handler, where it may say SIZE_MAX.
 * Return: 0 for NULL, SIZE_MAX for what is not of this library.
 */
size_t malloc_object_size(const void *ptr);

/**
 * malloc_object_size_fast - the same without a lock and without a look at what is in use
 * @ptr: any pointer
 *
 * Context: any, also in signal handlers.
 * Return: as malloc_object_size, or SIZE_MAX where it cannot be said at once (large blocks).
 */
size_t malloc_object_size_fast(const void *ptr);

#ifdef __cplusplus
}
#endif

#endif
