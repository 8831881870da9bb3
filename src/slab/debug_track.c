/* SPDX-License-Identifier: MIT */
/*
 * Who did something to an object: return addresses, thread, processor, time.
 *
 * The stack is walked from frame to frame by the pointers that functions keep when compiled with
 * -fno-omit-frame-pointer.  Where a program is not, the walk ends early, or after a function that
 * left something else in the register; the address that the library returns to is known in
 * any case.  A frame is read only if it lies within the thread's own stack (os/where.h) and above
 * the one before, so the walk cannot fault and comes to an end.  On any other stack there is only
 * the return address.
 *
 * Frames of the library itself are left out.
 *
 * Locks: debug_lock for the table of stacks; not while a stack is walked or looked for.
 */
#include "slab/debug_impl.h"

#include <pthread.h>
#include <string.h>
#include <sys/auxv.h>

#include "os/where.h"

#define NR_STACKS	64
#define OWN_FRAMES	16		/* of the library's, at most */

/* The stacks of the threads that were here last. */
struct known_stack {
	uint32_t thread;
	uintptr_t self;			/* numbers of threads are used again */
	struct os_stack stack;
};

static struct known_stack stacks[NR_STACKS];

static bool is_stack_known(struct known_stack *own)
{
	const struct known_stack *known = &stacks[own->thread % NR_STACKS];
	bool found;

	slab_debug_lock();
	found = known->thread == own->thread && known->self == own->self;
	if (found)
		own->stack = known->stack;
	slab_debug_unlock();
	return found;
}

/* Empty if it is not known, and to look for it is not allowed. */
static struct os_stack own_stack(bool may_look)
{
	struct known_stack own = { os_thread_id(may_look), (uintptr_t)pthread_self(), { 0, 0 } };

	if (is_stack_known(&own) || !may_look)
		return own.stack;
	own.stack = os_stack_find();
	slab_debug_lock();
	stacks[own.thread % NR_STACKS] = own;
	slab_debug_unlock();
	return own.stack;
}

/* What a frame pointer points to, on x86-64 and aarch64. */
struct frame {
	const struct frame *next;
	const void *ret;
};

static bool may_read(const struct frame *frame, struct os_stack stack)
{
	uintptr_t at = (uintptr_t)frame;

	return at >= stack.low && at < stack.high && stack.high - at >= sizeof(*frame) &&
	       !(at % _Alignof(struct frame));
}

/* Frames of instrumented functions are full of red zones. */
__attribute__((no_sanitize("address"), no_sanitize("thread")))
static unsigned walk(const struct frame *frame, struct os_stack stack, const void **addrs,
		     unsigned max)
{
	unsigned n = 0;

	addrs[n++] = frame->ret;	/* of a function that is running: it can be read */
	while (n < max && may_read(frame, stack) && frame->next > frame) {
		frame = frame->next;
		if (!may_read(frame, stack) || !frame->ret)
			break;
		addrs[n++] = frame->ret;
	}
	return n;
}

/* Of the linker's making: the module that this code is part of; its code is before its data. */
extern const char __ehdr_start[] __hidden;
extern const char _DYNAMIC[] __hidden __weak_ref;

static bool is_own(const void *addr)
{
	return (const char *)addr >= __ehdr_start && (const char *)addr < _DYNAMIC;
}

/* How many of the innermost frames are the library's, if it is not part of the program itself. */
static unsigned own_frames(const void *const *addrs, unsigned n)
{
	unsigned own = 0;

	if (is_own((const void *)getauxval(AT_PHDR)))
		return 0;
	while (own < n && is_own(addrs[own]))
		own++;
	return own < n ? own : 0;
}

static void take_stack(const void *frame, const void **addrs, bool may_look)
{
	const void *all[TRACK_FRAMES + OWN_FRAMES];
	unsigned n = walk(frame, own_stack(may_look), all, ARRAY_SIZE(all));
	unsigned own = own_frames(all, n);

	memcpy(addrs, all + own, min(n - own, (unsigned)TRACK_FRAMES) * sizeof(*addrs));
}

void debug_take_track(struct track *track, const void *frame, bool may_look)
{
	memset(track, 0, sizeof(*track));
	take_stack(frame, track->addrs, may_look);
	track->when = os_clock_ms();
	track->thread = os_thread_id(may_look);
	track->cpu = os_cpu();
}

/*
 * Text.
 */

static void print_places(struct fmt_out *out, const struct os_place *places, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		fmt_out_printf(out, " %s\n", debug_place_text(&places[i]).text);
}

struct place_text debug_place_text(const struct os_place *place)
{
	struct place_text text;

	if (place->module[0])
		fmt_snprint(text.text, sizeof(text.text), "%s+0x%lx", place->module,
			    (unsigned long)place->offset);
	else
		fmt_snprint(text.text, sizeof(text.text), "%p", (void *)place->offset);
	return text;
}

static unsigned track_places(const struct track *track, struct os_place *places)
{
	unsigned n;

	for (n = 0; n < TRACK_FRAMES && track->addrs[n]; n++)
		places[n].addr = track->addrs[n];
	os_locate(places, n);
	return n;
}

static void print_track(struct fmt_out *out, const char *what, const struct track *track)
{
	struct os_place places[TRACK_FRAMES];
	unsigned n = track_places(track, places);

	if (!n)
		return;
	fmt_out_printf(out, "%s in %s age=%llu cpu=%u pid=%u\n", what,
		       debug_place_text(&places[0]).text,
		       (unsigned long long)(os_clock_ms() - track->when), track->cpu,
		       track->thread);
	print_places(out, places, n);
}

void debug_print_tracks(struct fmt_out *out, const struct kmem_cache *s, const void *object)
{
	const struct track *tracks = tracks_of(s, object);

	if (!(s->flags & SLAB_STORE_USER))
		return;
	print_track(out, "Allocated", &tracks[TRACK_ALLOC]);
	print_track(out, "Freed", &tracks[TRACK_FREE]);
}

void debug_print_stack(struct fmt_out *out, const void *frame)
{
	struct os_place places[TRACK_FRAMES];
	struct track track = { .when = 0 };

	take_stack(frame, track.addrs, true);
	print_places(out, places, track_places(&track, places));
}

/* kmem_dump_obj: " allocated at <place>", the stack, and the one by which it was last freed. */
void slab_debug_dump(struct kmem_cache *s, const void *object, struct fmt_out *out)
{
	struct os_place places[TRACK_FRAMES];
	const struct track *tracks = tracks_of(s, object);
	unsigned n = s->flags & SLAB_STORE_USER ? track_places(&tracks[TRACK_ALLOC], places) : 0;

	if (n)
		fmt_out_printf(out, " allocated at %s", debug_place_text(&places[0]).text);
	fmt_out_printf(out, "\n");
	print_places(out, places, n);
	if (!n || !tracks[TRACK_FREE].addrs[0])
		return;
	fmt_out_printf(out, " Free path:\n");
	print_places(out, places, track_places(&tracks[TRACK_FREE], places));
}
