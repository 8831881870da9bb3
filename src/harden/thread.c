/* SPDX-License-Identifier: MIT */
/*
 * A thread's hardened objects.
 *
 * There are no magazines in hardened mode: objects go from slabs to ready, from the program to the
 * quarantine, and from there to ready again; what is too much goes back to the slabs.  All that is
 * bounded in bytes and belongs to the thread, so no lock and no atomic instruction is needed but
 * for the exchange with the slabs.
 *
 * Objects from a slab are shuffled, and what leaves the quarantine was displaced from a random
 * place in it: which of the objects that were freed comes next is not known, nor when.
 *
 * The arrays lie in mappings of their own between guard pages, far from the objects.  Mappings of
 * threads that ended are used again and never unmapped.
 *
 * Invariants: ready[0 … nr_ready) are free objects of the class; slots of the quarantine are free
 * objects or NULL, nr_delayed of them not; in an unused struct all of them are NULL.
 *
 * Locks: unused_lock for the list of unused ones; s->lock through slab_alloc and slab_free.
 */
#include "harden/thread.h"

#include "lib/bitmap.h"

static struct os_mutex unused_lock = OS_MUTEX(RANK_HARDEN);
static struct harden_thread *unused;
static _Atomic uint64_t nr_made;

static struct harden_thread *take_unused(void)
{
	struct harden_thread *t;

	os_mutex_lock(&unused_lock);
	t = unused;
	if (t)
		unused = t->next;
	os_mutex_unlock(&unused_lock);
	return t;
}

static void put_unused(struct harden_thread *t)
{
	os_mutex_lock(&unused_lock);
	t->next = unused;
	unused = t;
	os_mutex_unlock(&unused_lock);
}

static struct harden_thread *map_thread(void)
{
	char *map = os_reserve(harden.thread_bytes + 2 * PAGE_SIZE, PAGE_SIZE);

	if (!map)
		return NULL;
	if (os_commit(map + PAGE_SIZE, harden.thread_bytes)) {
		os_unmap(map, harden.thread_bytes + 2 * PAGE_SIZE);
		return NULL;
	}
	return (struct harden_thread *)(map + PAGE_SIZE);
}

struct harden_thread *harden_thread_new(void)
{
	struct harden_thread *t = take_unused();
	unsigned class;

	if (!t)
		t = map_thread();
	if (!t)
		return NULL;
	t->random = harden.seed ^ (atomic_fetch_add(&nr_made, 1) + 1) * harden.secret[1];
	for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
		t->class[class].ready = t->slots + harden.class[class].slots;
	return t;
}

static unsigned delayed_slots(unsigned class)
{
	return harden.class[class].ring + (unsigned)harden.class[class].random;
}

/* The objects in quarantine, moved to the front of its slots.  Returns how many. */
static unsigned gather_delayed(struct harden_rounds *r, unsigned class)
{
	void **slots = r->ready + harden.class[class].max_ready;
	unsigned i, n = 0;

	for (i = 0; i < delayed_slots(class); i++)
		if (slots[i])
			slots[n++] = slots[i];
	return n;
}

static void forget(struct harden_rounds *r, unsigned class)
{
	r->nr_ready = 0;
	r->nr_delayed = 0;
	r->head = 0;
	__builtin_memset(r->ready + harden.class[class].max_ready, 0,
			 delayed_slots(class) * sizeof(void *));
}

static bool is_unused(const struct harden_rounds *r)
{
	return !r->nr_ready && !r->nr_delayed;
}

static void flush_class(struct harden_rounds *r, unsigned class)
{
	struct kmem_cache *s = &kmalloc_caches[class];

	if (is_unused(r))
		return;
	slab_free(s, r->ready, r->nr_ready);
	slab_free(s, r->ready + harden.class[class].max_ready, gather_delayed(r, class));
	forget(r, class);
}

void harden_flush(struct harden_thread *t)
{
	unsigned class;

	for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
		flush_class(&t->class[class], class);
}

void harden_thread_delete(struct harden_thread *t)
{
	harden_flush(t);
	put_unused(t);
}

/*
 * Adoption.
 */

/* A free object in none of the slabs?  It is made what a free object is. */
static bool is_sound(unsigned class, void *object)
{
	const struct harden_class *c = &harden.class[class];
	struct region *r = region_of((uintptr_t)object);

	if (!r || *slab_map_byte(r, (uintptr_t)object) != class || !object_in_place(c, object) ||
	    *mark_of(c, object))
		return false;
	if (harden.zero)
		__builtin_memset(object, 0, c->size);
	return true;
}

static void adopt_some(unsigned class, void **objects, unsigned n)
{
	unsigned i, sound = 0;

	for (i = 0; i < n; i++)
		if (is_sound(class, objects[i]))
			objects[sound++] = objects[i];
	slab_free_quiet(&kmalloc_caches[class], objects, sound);
}

static void adopt_class(struct harden_rounds *r, unsigned class)
{
	const struct harden_class *c = &harden.class[class];

	if (is_unused(r))
		return;
	adopt_some(class, r->ready, min(r->nr_ready, c->max_ready));
	adopt_some(class, r->ready + c->max_ready, gather_delayed(r, class));
	forget(r, class);
}

void harden_adopt(struct harden_thread *t)
{
	unsigned class;

	for (class = 1; class <= NR_KMALLOC_CLASSES; class++)
		adopt_class(&t->class[class], class);
	put_unused(t);
}

/*
 * Exchange with the slabs.
 */

static void shuffle(struct harden_thread *t, void **objects, unsigned n)
{
	for (; n > 1; n--) {
		unsigned i = harden_below((uint32_t)harden_random(t), n);
		void *object = objects[n - 1];

		objects[n - 1] = objects[i];
		objects[i] = object;
	}
}

bool harden_fill(struct harden_thread *t, unsigned class)
{
	struct harden_rounds *r = &t->class[class];
	unsigned want = max(harden.class[class].max_ready / 2u, 1u);
	unsigned got = slab_alloc(&kmalloc_caches[class], r->ready, want);

	if (got < want)
		__builtin_memmove(r->ready, r->ready + (want - got), got * sizeof(void *));
	if (harden.shuffle)
		shuffle(t, r->ready, got);
	r->nr_ready = (uint16_t)got;
	return got;
}

size_t harden_drain(struct harden_thread *t, unsigned class)
{
	struct harden_rounds *r = &t->class[class];
	unsigned n = max(harden.class[class].max_ready / 2u, 1u);

	if (harden_has_room(t, class))
		return 0;
	r->nr_ready = (uint16_t)(r->nr_ready - n);
	slab_free(&kmalloc_caches[class], r->ready + r->nr_ready, n);
	return (size_t)n * harden.class[class].size;
}

__racy size_t harden_count(struct harden_thread *t, unsigned class)
{
	return (size_t)RACY_READ(t->class[class].nr_ready) + RACY_READ(t->class[class].nr_delayed);
}
