/* SPDX-License-Identifier: MIT */
/*
 * The contract with the operating system.  Nothing above this folder makes a system call.
 *
 * All functions leave errno alone, return 0 or a pointer on success and a negative errno
 * or NULL on failure.  Addresses and sizes are multiples of PAGE_SIZE.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include "lib/compiler.h"

#define PAGE_SHIFT	12
#define PAGE_SIZE	((size_t)1 << PAGE_SHIFT)

/* Inaccessible address space that costs no memory, aligned to @align (a power of two). */
void *os_reserve(size_t size, size_t align);

/* The same below 4 GiB. */
void *os_reserve_low(size_t size, size_t align);

/* Reserved address space becomes readable and writable, zero where it was never used. */
int os_commit(void *addr, size_t size);

/* The opposite: accesses fault, contents are kept until os_purge or os_unmap. */
int os_protect(void *addr, size_t size);

/* From now on reading is allowed and nothing else. */
int os_seal(void *addr, size_t size);

/* Gives the memory back at once; the next access reads zeroes. */
int os_purge(void *addr, size_t size);

/* Faults the pages in for writing now, so that a later access cannot fail or sleep. */
int os_populate(void *addr, size_t size);

/* Asks for transparent huge pages, or forbids them. */
void os_hugepage(void *addr, size_t size, bool wanted);

int os_unmap(void *addr, size_t size);

/* Moves the pages of @from, replacing whatever is mapped at @to.  No bytes are copied. */
int os_move(void *from, size_t from_size, void *to, size_t to_size);

/* Address space limit of the process in bytes, SIZE_MAX if there is none. */
size_t os_address_space_limit(void);

/* Random bytes; at start only, since it makes a system call that malloc makes only then. */
void os_random(void *bytes, size_t size);

/* Milliseconds of a monotonic clock with a resolution of a few milliseconds; no system call. */
uint64_t os_clock_ms(void);

/* A copy of a descriptor that programs are not likely to close by number; @fd itself on failure. */
int os_keep_fd(int fd);

/* Is the process under a seccomp filter, or can that not be found out? */
bool os_maybe_sandboxed(void);

/*
 * The kernel's number of the calling thread (a system call the first time; without @ask it is 0
 * until then), the processor it runs on (0 if that is not known), and what the kernel says of all
 * memory; for reports only.
 */
uint32_t os_thread_id(bool ask);
unsigned os_cpu(void);
struct sysinfo;
int os_sysinfo(struct sysinfo *info);

/* The number of the thread is another one in the child of a fork. */
void os_fork_child(void);

/*
 * A thread that the program does not know: all signals blocked, detached, small stack.  Calls
 * into the C library, which may allocate: no lock may be held.
 */
int os_thread_create(void *(*fn)(void *), void *arg);

#endif
