/* SPDX-License-Identifier: MIT */
/*
 * The kernel's tests call these by other names, so that radix-adaptor.c can stand between them and the
 * library.  Included before everything else.
 */
#define kmalloc			adapted_kmalloc
#define kfree			adapted_kfree
#define kmem_cache_create	adapted_cache_create
#define kmem_cache_alloc_lru	adapted_cache_alloc_lru
#define kmem_cache_free		adapted_cache_free
#define kmem_cache_alloc_bulk	adapted_cache_alloc_bulk
#define kmem_cache_free_bulk	adapted_cache_free_bulk
