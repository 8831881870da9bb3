/* SPDX-License-Identifier: MIT */
/*
 * Memory for those who may not pass the gate (magazine/gate.c): a thread that a long fork() may be
 * waiting for, a signal handler that interrupted the library.
 *
 * A chunk is a mapping that is handed out from its start to its end.  One 64-bit word holds how
 * much is used and how many objects live; a compare-and-swap changes both, and when the last
 * object is freed the chunk is empty again.  Chunks are found by address in a small table and stay:
 * emergencies are rare and alike.
 *
 * Frees by such callers are put on a lock-free stack and done by the next one who passes the gate.
 *
 * Locks: none, that is the point.
 */
#include "kmalloc/emergency.h"

#include "lib/bits.h"
#include "os/os.h"

#define CHUNK_SIZE	((size_t)1 << 20)
#define NR_CHUNKS	256u
#define HEADER		16u		/* before each object: its size, and where it started */

struct chunk {
	size_t size;			/* of the whole mapping */
	_Atomic uint64_t state;		/* bytes used << 32 (in units of HEADER) | objects */
};

struct header {
	size_t size;
	size_t unused;
};

struct deferred {
	struct deferred *next;
	void *ptr;
};

static_assert(sizeof(struct header) == HEADER, "objects stay aligned");

static _Atomic(struct chunk *) chunks[NR_CHUNKS];
_Atomic(struct deferred *) emergency_deferred;

#define FIRST	(align_up(sizeof(struct chunk), HEADER) / HEADER)

static uint64_t state_of(uint64_t used, uint64_t objects)
{
	return used << 32 | objects;
}

static void *place(struct chunk *chunk, uint64_t used, size_t size, size_t align)
{
	uintptr_t object = align_up((uintptr_t)chunk + (used + 1) * HEADER, align);
	struct header *header = (struct header *)(object - HEADER);

	header->size = size;
	return (void *)object;
}

static void *chunk_alloc(struct chunk *chunk, size_t size, size_t align)
{
	uint64_t old = atomic_load_explicit(&chunk->state, memory_order_relaxed);
	uint64_t used, end;

	if (size > chunk->size)
		return NULL;
	do {
		used = old >> 32 ? old >> 32 : FIRST;
		end = align_up((uintptr_t)chunk + (used + 1) * HEADER, align) - (uintptr_t)chunk;
		end = (end + size + HEADER - 1) / HEADER;
		if (end * HEADER > chunk->size)
			return NULL;
		/* acq_rel: pairs with chunk_free, whose bytes may be handed out again */
	} while (!atomic_compare_exchange_weak_explicit(&chunk->state, &old,
			state_of(end, (old & UINT32_MAX) + 1), memory_order_acq_rel,
			memory_order_relaxed));
	return place(chunk, used, size, align);
}

static void chunk_free(struct chunk *chunk)
{
	uint64_t old = atomic_load_explicit(&chunk->state, memory_order_relaxed);
	uint64_t new;

	do {
		new = (old & UINT32_MAX) == 1 ? 0 : old - 1;
	} while (!atomic_compare_exchange_weak_explicit(&chunk->state, &old, new,
			memory_order_acq_rel, memory_order_relaxed));
}

static struct chunk *chunk_map(size_t size)
{
	struct chunk *chunk = os_reserve(size, PAGE_SIZE);

	if (!chunk)
		return NULL;
	if (os_commit(chunk, size)) {
		os_unmap(chunk, size);
		return NULL;
	}
	chunk->size = size;
	return chunk;
}

static void *alloc_from_new(_Atomic(struct chunk *) *slot, size_t size, size_t align)
{
	size_t need = align_up(size + align + HEADER * (FIRST + 1), PAGE_SIZE);
	struct chunk *chunk, *none = NULL;
	void *object;

	if (need < size || need >> 35)
		return NULL;
	chunk = chunk_map(max(need, CHUNK_SIZE));
	if (!chunk)
		return NULL;
	object = chunk_alloc(chunk, size, align);
	/* release: pairs with the acquire loads of the table */
	if (atomic_compare_exchange_strong_explicit(slot, &none, chunk, memory_order_acq_rel,
						    memory_order_relaxed))
		return object;
	os_unmap(chunk, chunk->size);
	return NULL;
}

void *emergency_alloc(size_t size, size_t align)
{
	void *object;
	unsigned i;

	align = max(align, (size_t)HEADER);
	for (i = 0; i < NR_CHUNKS; i++) {
		struct chunk *chunk = atomic_load_explicit(&chunks[i], memory_order_acquire);

		object = chunk ? chunk_alloc(chunk, size, align) :
				 alloc_from_new(&chunks[i], size, align);
		if (object)
			return object;
	}
	return NULL;
}

static struct chunk *chunk_of(const void *ptr)
{
	unsigned i;

	for (i = 0; i < NR_CHUNKS; i++) {
		struct chunk *chunk = atomic_load_explicit(&chunks[i], memory_order_acquire);

		if (!chunk)
			return NULL;
		if ((uintptr_t)ptr - (uintptr_t)chunk < chunk->size)
			return chunk;
	}
	return NULL;
}

bool emergency_find(const void *ptr, uintptr_t *start, size_t *size)
{
	if (!chunk_of(ptr))
		return false;
	*start = (uintptr_t)ptr;
	*size = ((const struct header *)ptr)[-1].size;
	return true;
}

bool emergency_free(void *ptr)
{
	struct chunk *chunk = chunk_of(ptr);

	if (chunk)
		chunk_free(chunk);
	return chunk != NULL;
}

static void push(struct deferred *node, void *ptr)
{
	node->ptr = ptr;
	node->next = atomic_load_explicit(&emergency_deferred, memory_order_relaxed);
	/* release: pairs with the exchange in emergency_for_each_deferred */
	while (!atomic_compare_exchange_weak_explicit(&emergency_deferred, &node->next, node,
						      memory_order_release,
						      memory_order_relaxed))
		;
}

void emergency_defer_free(void *ptr)
{
	struct deferred *node = emergency_alloc(sizeof(*node), 1);

	if (node)
		push(node, ptr);
}

/* The node stands in the object; emergency_free takes no notice of it afterwards. */
void emergency_defer_object(void *object)
{
	push(object, object);
}

void emergency_for_each_deferred(void (*fn)(void *ptr))
{
	struct deferred *node, *next;

	node = atomic_exchange_explicit(&emergency_deferred, NULL, memory_order_acquire);
	for (; node; node = next) {
		next = node->next;
		fn(node->ptr);
		emergency_free(node);
	}
}
