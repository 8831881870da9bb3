/* SPDX-License-Identifier: MIT */
/*
 * Sampled guards.
 *
 *	| guard | object 0 | guard | object 1 | guard | …		a page each
 *
 * An object stands at the left or right end of its page, chosen at random; the rest of the page is
 * filled with a pattern that is checked when it is freed.  The pages between are never accessible,
 * that of an object only while it is allocated.  So an access beyond the end, or before the start,
 * or after the free, faults, and the report says who allocated and freed the object.  Freed objects
 * are used again last.
 *
 * The allocations to be guarded are chosen in slow paths, so that fast ones know nothing of it:
 * the first one after each interval, or one of so many.  When three quarters of the objects are in
 * use, only sources are taken of which none is guarded already.
 *
 * Invariants: an object is on the list iff its state is not KFENCE_ALLOCATED and nobody is at work
 * on it; its page is accessible only in that state (or where mprotect failed); freed pages hold no
 * memory.
 *
 * Locks: kfence.lock for the list, the table of sources and the change of states; no system call
 * under it.
 *
 * References: Linux Documentation/dev-tools/kfence.rst, mm/kfence/core.c.
 */
#include "mm/kfence_impl.h"

#include <pthread.h>

#include "lib/bits.h"
#include "lib/bug.h"
#include "os/fault.h"
#include "os/lock.h"

#define NR_SOURCES	512u
#define SOURCE_DEPTH	8u
#define META_BYTES	align_up(sizeof(struct kfence), PAGE_SIZE)

struct kfence {
	struct os_mutex lock;
	struct list_node unused;
	unsigned nr_live;
	uint8_t guarded[NR_SOURCES];	/* objects in use, by the hash of their source */
	struct kfence_object object[KFENCE_OBJECTS];
};

uintptr_t kfence_base;
bool kfence_on;

static struct kfence *kfence;		/* before the pool, behind a guard page of its own */
static unsigned interval, every;
static _Atomic uint64_t next_sample;	/* milliseconds, or calls to go */
static _Atomic uint64_t random_state;

/*
 * When.
 */

static bool count_down(void)
{
	uint64_t calls = atomic_fetch_add_explicit(&next_sample, 1, memory_order_relaxed);

	return calls % every == every - 1;
}

bool kfence_tick(void)
{
	uint64_t now, due;

	if (every)
		return count_down();
	now = os_clock_ms();
	due = atomic_load_explicit(&next_sample, memory_order_relaxed);
	return now >= due &&
	       atomic_compare_exchange_strong_explicit(&next_sample, &due, now + interval,
						       memory_order_relaxed, memory_order_relaxed);
}

/*
 * Where.
 */

static uintptr_t page_of(const struct kfence_object *object)
{
	return kfence_base + ((2 * (uintptr_t)(object - kfence->object) + 1) << PAGE_SHIFT);
}

/* Of a page that is an object's; NULL for guard pages. */
static struct kfence_object *object_of(uintptr_t addr)
{
	size_t page = (addr - kfence_base) >> PAGE_SHIFT;

	return page & 1 ? &kfence->object[page / 2] : NULL;
}

static uint64_t next_random(void)
{
	uint64_t x = atomic_fetch_add_explicit(&random_state, UINT64_C(0x9e3779b97f4a7c15),
					       memory_order_relaxed);

	x = (x ^ x >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}

static uintptr_t choose_place(const struct kfence_object *object, size_t size, size_t align)
{
	uintptr_t page = page_of(object);

	return next_random() & 1 ? page : align_down(page + PAGE_SIZE - size, align);
}

static void record(struct kfence_event *event, const void *pc, const void *fp)
{
	event->depth = os_backtrace(event->stack, KFENCE_DEPTH, pc, fp);
	event->thread = (uintptr_t)pthread_self();
	event->when = os_clock_ms();
}

static uint16_t source_of(const struct kfence_event *event)
{
	uint64_t hash = 0;
	unsigned i;

	for (i = 0; i < min(event->depth, SOURCE_DEPTH); i++)
		hash = (hash ^ (uintptr_t)event->stack[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint16_t)(hash >> 40) % NR_SOURCES;
}

/*
 * Canaries.
 */

static void fill(uintptr_t from, uintptr_t to)
{
	for (; from < to; from++)
		*(unsigned char *)from = kfence_canary(from);
}

static uintptr_t first_changed(uintptr_t from, uintptr_t to)
{
	while (from < to && *(unsigned char *)from == kfence_canary(from))
		from++;
	return from < to ? from : 0;
}

static void set_canaries(const struct kfence_object *object)
{
	uintptr_t page = page_of(object);

	fill(page, object->addr);
	fill(object->addr + object->size, page + PAGE_SIZE);
}

static uintptr_t find_corruption(const struct kfence_object *object)
{
	uintptr_t page = page_of(object), at = first_changed(page, object->addr);

	return at ? at : first_changed(object->addr + object->size, page + PAGE_SIZE);
}

/*
 * Reports.
 */

static void report(struct kfence_report *r)
{
	if (r->object)
		r->number = (unsigned)(r->object - kfence->object);
	kfence_print(r);
}

static void report_misuse(enum kfence_error error, uintptr_t addr,
			  const struct kfence_object *object, const void *pc, const void *fp)
{
	struct kfence_report r = { .error = error, .addr = addr, .object = object, .pc = pc,
				   .fp = fp };

	report(&r);
	corruption_was_reported();
}

/*
 * Allocation and free.
 */

/* One that is not in use, if its source may have one more. */
static struct kfence_object *take(uint16_t source)
{
	struct kfence_object *object = NULL;
	bool scarce;

	os_mutex_lock(&kfence->lock);
	scarce = kfence->nr_live >= KFENCE_OBJECTS / 4 * 3;
	if (!list_empty(&kfence->unused) && !(scarce && kfence->guarded[source])) {
		object = list_first(&kfence->unused, struct kfence_object, list);
		list_del(&object->list);
		kfence->nr_live++;
		kfence->guarded[source]++;
	}
	os_mutex_unlock(&kfence->lock);
	return object;
}

static void put(struct kfence_object *object, uint16_t source)
{
	os_mutex_lock(&kfence->lock);
	list_add_tail(&object->list, &kfence->unused);
	kfence->nr_live--;
	kfence->guarded[source]--;
	os_mutex_unlock(&kfence->lock);
}

void *kfence_alloc(size_t size, size_t align, const void *pc, const void *fp)
{
	struct kfence_event event;
	struct kfence_object *object;

	record(&event, pc, fp);
	object = take(source_of(&event));
	if (!object)
		return NULL;
	if (os_commit((void *)page_of(object), PAGE_SIZE)) {
		put(object, source_of(&event));
		return NULL;
	}
	object->source = source_of(&event);
	object->size = (uint32_t)size;
	object->addr = choose_place(object, size, max(align, (size_t)16));
	object->allocated = event;
	object->freed.when = 0;
	__builtin_memset((void *)object->addr, 0, size);
	set_canaries(object);
	/* release: pairs with the acquire in kfence_find */
	atomic_store_explicit(&object->state, KFENCE_ALLOCATED, memory_order_release);
	return (void *)object->addr;
}

static void close_pages(struct kfence_object *object)
{
	os_purge((void *)page_of(object), PAGE_SIZE);
	os_protect((void *)page_of(object), PAGE_SIZE);
	if (object->opened)
		os_protect((void *)object->opened, PAGE_SIZE);
	object->opened = 0;
}

/* Of two threads that free the same object, one wins. */
static bool retire(struct kfence_object *object)
{
	uint8_t allocated = KFENCE_ALLOCATED;

	return atomic_compare_exchange_strong(&object->state, &allocated, KFENCE_FREED);
}

void kfence_free(void *ptr, const void *pc, const void *fp)
{
	struct kfence_object *object = object_of((uintptr_t)ptr);
	uintptr_t changed;

	if (!object || object->addr != (uintptr_t)ptr || !retire(object)) {
		report_misuse(KFENCE_INVALID_FREE, (uintptr_t)ptr, object, pc, fp);
		return;
	}
	record(&object->freed, pc, fp);
	changed = find_corruption(object);
	if (changed)
		report_misuse(KFENCE_CORRUPTION, changed, object, pc, fp);
	close_pages(object);
	put(object, object->source);
}

bool kfence_find(const void *ptr, uintptr_t *start, size_t *size)
{
	struct kfence_object *object = kfence_owns(ptr) ? object_of((uintptr_t)ptr) : NULL;

	if (!object || atomic_load_explicit(&object->state, memory_order_acquire) !=
	    KFENCE_ALLOCATED)
		return false;
	*start = object->addr;
	*size = object->size;
	return true;
}

/*
 * Faults.
 */

static size_t distance(const struct kfence_object *object, uintptr_t addr)
{
	if (atomic_load(&object->state) != KFENCE_ALLOCATED)
		return SIZE_MAX;
	return addr < object->addr ? object->addr - addr : addr - (object->addr + object->size);
}

/* The nearer one of the two that stand beside a guard page. */
static struct kfence_object *neighbour(uintptr_t addr)
{
	size_t right = (addr - kfence_base) >> PAGE_SHIFT >> 1;
	struct kfence_object *a = right ? &kfence->object[right - 1] : NULL;
	struct kfence_object *b = right < KFENCE_OBJECTS ? &kfence->object[right] : NULL;
	size_t to_a = a ? distance(a, addr) : SIZE_MAX, to_b = b ? distance(b, addr) : SIZE_MAX;

	if (to_a == SIZE_MAX && to_b == SIZE_MAX)
		return NULL;
	return to_a <= to_b ? a : b;
}

static enum os_fault_verdict fault(const struct os_fault *f)
{
	struct kfence_report r = { .addr = f->addr, .write = f->write, .pc = f->pc, .fp = f->fp };
	struct kfence_object *object;

	if (!kfence_owns((void *)f->addr))
		return OS_FAULT_FOREIGN;
	object = object_of(f->addr);
	r.error = KFENCE_USE_AFTER_FREE;
	if (!object) {
		object = neighbour(f->addr);
		r.error = KFENCE_OUT_OF_BOUNDS;
		if (object)
			object->opened = align_down(f->addr, PAGE_SIZE);
	}
	if (!object || atomic_load(&object->state) == KFENCE_UNUSED)
		r.error = KFENCE_INVALID;
	r.object = object;
	report(&r);
	if (corruption_is_fatal || os_commit((void *)align_down(f->addr, PAGE_SIZE), PAGE_SIZE))
		return OS_FAULT_DIE;
	return OS_FAULT_GO_ON;
}

/*
 * Start.
 */

static bool make_pool(void)
{
	char *map = os_reserve(META_BYTES + PAGE_SIZE + KFENCE_BYTES, PAGE_SIZE);
	unsigned i;

	if (!map)
		return false;
	if (os_commit(map, META_BYTES)) {
		os_unmap(map, META_BYTES + PAGE_SIZE + KFENCE_BYTES);
		return false;
	}
	kfence = (struct kfence *)map;
	os_mutex_init(&kfence->lock, RANK_KFENCE);
	list_init(&kfence->unused);
	kfence_base = (uintptr_t)map + META_BYTES + PAGE_SIZE;
	random_state = kfence_base ^ os_clock_ms() << 20;
	for (i = 0; i < KFENCE_OBJECTS; i++)
		list_add_tail(&kfence->object[i].list, &kfence->unused);
	return true;
}

void kfence_init(unsigned interval_ms, unsigned every_nth)
{
	if ((!interval_ms && !every_nth) || !make_pool())
		return;
	interval = interval_ms;
	every = every_nth;
	next_sample = every ? 0 : os_clock_ms() + interval;
	os_fault_catch(fault);
	kfence_on = true;
}
