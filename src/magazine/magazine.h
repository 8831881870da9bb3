/* SPDX-License-Identifier: MIT */
/*
 * Magazines: arrays of pointers to free objects, and the thread's own ones.
 *
 * A loaded magazine is known only by its top: the address of the slot above its last round.
 * Magazines are aligned to their size and their slots end where they end, so
 *
 *	full	<=>  top is a multiple of MAGAZINE_SIZE
 *	empty	<=>  the slot below top is NULL (the sentinel below the first round)
 *
 * A thread without a magazine for a class has its top at no_magazine, which is both empty and
 * full, so that neither malloc nor free has to ask whether there is one.
 */
#ifndef MAGAZINE_MAGAZINE_H
#define MAGAZINE_MAGAZINE_H

#include "slab/slab.h"

#define MAGAZINE_SIZE	1024u
#define MAGAZINE_SLOTS	125u
#define MAX_ROUNDS	(MAGAZINE_SLOTS - 1)
#define MIN_ROUNDS	7u		/* where a new magazine starts, if the class allows it */
#define EARLY_OBJECTS	8u		/* of a class come and go first, with several threads */

struct magazine {
	struct list_node list;		/* of a depot */
	uint16_t top;			/* while it is not loaded; both in bytes from here */
	uint16_t bottom;
	uint32_t stamp;			/* epoch in which it was last loaded */
	void *slot[MAGAZINE_SLOTS];	/* ..., NULL, round 0 … capacity - 1 */
};

static_assert(sizeof(struct magazine) == MAGAZINE_SIZE, "slots end at the boundary");

#define SIZE_STEPS	(1024 / 16 + 1)

#define GATE_TICKS	16		/* slow paths between two looks at the clock */

enum thread_state {
	THREAD_EARLY,		/* before the C library has set up thread storage: no magazines */
	THREAD_NEW,		/* no magazines yet: the next slow path makes them */
	THREAD_LIVE,
	THREAD_DEAD,		/* past its last destructor: works without magazines */
};

struct thread;
struct thread_slot;

/*
 * What malloc and free read: less than 512 bytes, since a library that is loaded late finds only
 * 512 bytes of static thread storage to spare.
 */
struct thread_tls {
	void **top[NR_MAP_VALUES];	/* by slab map value; [0] and others' stay at no_magazine */
	uint8_t class_of[SIZE_STEPS];	/* (size + 15) / 16 → class; all 0 until THREAD_LIVE */
	uint8_t state;			/* enum thread_state */
	bool forking;			/* inside fork(): the gate is open for this thread */
	uint8_t ticks;			/* slow paths until the clock is looked at */
	_Atomic uint32_t busy;		/* inside a slow path; read by fork */
	struct thread *thread;
	struct thread_slot *slots;	/* of other caches, by their id */
	uint32_t nr_slots;
	uint8_t gfp_scope;		/* what allocations may not do: see kmalloc/gfp.c */
	bool shrinking;			/* inside the program's shrinkers */
	bool listing;			/* may hold the lock of the list of threads */
	uint32_t slot_bytes;		/* nr_slots, as fast paths compare it */
	uint32_t drained;		/* bytes that went to slabs since trim_if_shrunk looked */
};

static_assert(sizeof(struct thread_tls) <= 504, "fits into the optional static TLS");

extern __thread struct thread_tls thread_tls
	__hidden __attribute__((tls_model("initial-exec")));

extern void *const no_magazine[MAGAZINE_SIZE / sizeof(void *)] __hidden;
#define NO_TOP	((void **)&no_magazine[MAGAZINE_SIZE / sizeof(void *)])

/* The last round, or NULL: take the slow path. */
static __always_inline void *magazine_pop(void ***place)
{
	void **top = *place;
	void *object = top[-1];

	if (likely(object))
		*place = top - 1;
	return object;
}

/*
 * Is there room, and is the object not the one that was freed last, which must not happen?  Both in
 * one branch of the caller: for an object freed twice the test is made on @aligned (any multiple of
 * MAGAZINE_SIZE), which looks full.
 */
static __always_inline bool magazine_takes(void **top, void *object, uintptr_t aligned)
{
	uintptr_t test = (uintptr_t)top;

	if (__builtin_expect_with_probability(top[-1] == object, 0, 0.5))
		test = aligned;
	return test & (MAGAZINE_SIZE - 1);
}

/* False: take the slow path. */
static __always_inline bool magazine_push(void ***place, void *object, uintptr_t aligned)
{
	void **top = *place;

	if (unlikely(!magazine_takes(top, object, aligned)))
		return false;
	*top = object;
	*place = top + 1;
	return true;
}

/*
 * thread_tls with its address in a register: where a top is stored and loaded again at once,
 * addressing thread storage through its segment costs the processor its short cut from store to
 * load (a pair of malloc and free 3.7 ns instead of 2.5).
 */
static __always_inline struct thread_tls *this_thread(void)
{
	struct thread_tls *tls = &thread_tls;

	OPAQUE(tls);
	return tls;
}

/*
 * A top moves by so many rounds, by one instruction where the processor has it: no slower than to
 * store the new top (10.8 cycles a pair of malloc and free), and one register less.
 */
#if defined(__x86_64__)
static __always_inline void top_move(void ***place, long rounds)
{
	__asm__("addq %1, %0" : "+m"(*place) : "er"(rounds * (long)sizeof(void *)));
}
#else
static __always_inline void top_move(void ***place, long rounds)
{
	*place += rounds;
}
#endif

/* The same two for the calling thread and a size class, which is best made OPAQUE_INDEX. */
static __always_inline void *class_pop(struct thread_tls *tls, size_t class)
{
	void *object = tls->top[class][-1];

	OPAQUE_RESULT(object);
	if (likely(object))
		top_move(&tls->top[class], -1);
	return object;
}

static __always_inline bool class_push(struct thread_tls *tls, size_t class, void *object,
				       uintptr_t aligned)
{
	void **top = tls->top[class];

	if (unlikely(!magazine_takes(top, object, aligned)))
		return false;
	*top = object;
	top_move(&tls->top[class], 1);
	return true;
}


static inline struct magazine *magazine_of_top(void **top)
{
	return (struct magazine *)((uintptr_t)(top - 1) & ~(uintptr_t)(MAGAZINE_SIZE - 1));
}

static inline void **magazine_bottom(struct magazine *mag)
{
	return (void **)((char *)mag + mag->bottom);
}

static inline void **magazine_top(struct magazine *mag)
{
	return (void **)((char *)mag + mag->top);
}

static inline bool magazine_is_empty(const struct magazine *mag)
{
	return mag->top == mag->bottom;
}

static inline unsigned magazine_rounds(const struct magazine *mag)
{
	return (unsigned)(mag->top - mag->bottom) / (unsigned)sizeof(void *);
}

static inline void magazine_set_rounds(struct magazine *mag, unsigned rounds)
{
	mag->top = (uint16_t)(mag->bottom + rounds * sizeof(void *));
}

/* The last round of one that is not loaded and not empty. */
static inline void *magazine_take(struct magazine *mag)
{
	mag->top = (uint16_t)(mag->top - sizeof(void *));
	return *magazine_top(mag);
}

/* Makes it empty. */
static inline void magazine_set_capacity(struct magazine *mag, unsigned capacity)
{
	mag->bottom = (uint16_t)(MAGAZINE_SIZE - capacity * sizeof(void *));
	mag->top = mag->bottom;
	magazine_bottom(mag)[-1] = NULL;
}

/* Sets up what magazines are made from.  Once, before any other function. */
void magazine_init(size_t thread_bytes);

/* Decides how large the magazines and the depot of a cache may become. */
void magazine_setup(struct kmem_cache *s);


/* An empty magazine for @s, or NULL. */
struct magazine *magazine_new(struct kmem_cache *s);
void magazine_delete(struct kmem_cache *s, struct magazine *mag);

/* The rounds go back to their slabs, the magazine to the depot or to its own slab. */
void magazine_drain(struct kmem_cache *s, struct magazine *mag);

/* One thread's magazines for one cache, but for the loaded one, which is known by its top. */
struct thread_class {
	_Atomic(struct magazine *) previous;	/* exchanged whole: reclaim may take it */
	uint16_t capacity;		/* of the next magazine; grows with use */
	uint16_t early;			/* objects that came and went without a magazine */
	int32_t handed;			/* what the program took, in bytes of slots: exchange.h */
};

/*
 * The slow halves, inside the gate.  @top is where the thread keeps the top of its loaded magazine
 * for cache @s, and @tc the rest of what it has for it.
 */
void *magazine_alloc(struct kmem_cache *s, void ***top, struct thread_class *tc);
void magazine_free(struct kmem_cache *s, void ***top, struct thread_class *tc, void *object);

/* For threads without magazines. */
void *magazine_alloc_one(struct kmem_cache *s);
void magazine_free_one(struct kmem_cache *s, void *object);

/*
 * depot.c: exchanges of whole magazines in constant time.
 */

/* A magazine with rounds, or NULL.  @empty (or NULL) is left there. */
struct magazine *depot_get_full(struct kmem_cache *s, struct magazine *empty);

/* An empty one, or NULL. */
struct magazine *depot_get_empty(struct kmem_cache *s);

/* @full (or NULL) is left there and an empty one is taken, or NULL. */
struct magazine *depot_put_full(struct kmem_cache *s, struct magazine *full);

/* Leaves a magazine, whatever is in it. */
void depot_put(struct kmem_cache *s, struct magazine *mag);

/* Drains the magazines that nobody needed since the last call; all of them if @all. */
void depot_trim(struct kmem_cache *s, bool all);

#endif
