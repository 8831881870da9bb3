/* SPDX-License-Identifier: MIT */
/*
 * What KFENCE says, in the kernel's words.
 *
 * Callers are addresses: names would need the dynamic linker's locks.  addr2line(1) knows them.
 * May run in a handler of SIGSEGV: no locks, and everything on the stack.
 *
 * References: Linux Documentation/dev-tools/kfence.rst, mm/kfence/report.c.
 */
#include "lib/bits.h"
#include "lib/fmt.h"
#include "mm/kfence_impl.h"

#define SHOWN	16u			/* corrupted bytes */

static const char ruler[] =
	"==================================================================\n";

static void *pointer(uintptr_t addr)
{
	return (void *)addr;
}

static void print_stack(struct fmt_out *out, const void *const *stack, unsigned depth)
{
	unsigned i;

	for (i = 0; i < depth; i++)
		fmt_out_printf(out, " %p\n", (void *)(uintptr_t)stack[i]);
	fmt_out_printf(out, "\n");
}

static void print_event(struct fmt_out *out, const char *what, const struct kfence_event *event)
{
	if (!event->when)
		return;
	fmt_out_printf(out, "%s by thread %p at %lu.%03lus:\n", what, pointer(event->thread),
		       (unsigned long)(event->when / 1000), (unsigned long)(event->when % 1000));
	print_stack(out, event->stack, event->depth);
}

static void print_object(struct fmt_out *out, const struct kfence_report *r)
{
	const struct kfence_object *object = r->object;

	if (!object || atomic_load(&object->state) == KFENCE_UNUSED)
		return;
	fmt_out_printf(out, "kfence-#%u: %p-%p, size=%u\n\n", r->number, pointer(object->addr),
		       pointer(object->addr + object->size - 1), object->size);
	print_event(out, "allocated", &object->allocated);
	print_event(out, "freed", &object->freed);
}

static void print_title(struct fmt_out *out, const struct kfence_report *r)
{
	static const char *const titles[] = {
		[KFENCE_OUT_OF_BOUNDS] = "out-of-bounds",
		[KFENCE_USE_AFTER_FREE] = "use-after-free",
		[KFENCE_CORRUPTION] = "memory corruption",
		[KFENCE_INVALID] = "invalid",
		[KFENCE_INVALID_FREE] = "invalid free",
	};
	bool access = r->error != KFENCE_CORRUPTION && r->error != KFENCE_INVALID_FREE;

	fmt_out_printf(out, "%sBUG: KFENCE: %s%s in %p\n\n", ruler, titles[r->error],
		       !access ? "" : r->write ? " write" : " read", (void *)(uintptr_t)r->pc);
}

static void print_out_of_bounds(struct fmt_out *out, const struct kfence_report *r)
{
	const struct kfence_object *object = r->object;
	bool left = r->addr < object->addr;
	size_t bytes = left ? object->addr - r->addr : r->addr - (object->addr + object->size);

	fmt_out_printf(out, "Out-of-bounds %s at %p (%zuB %s of kfence-#%u):\n",
		       r->write ? "write" : "read", pointer(r->addr), bytes,
		       left ? "left" : "right", r->number);
}

/* Bytes as they are, '.' for those that are as they should be. */
static void print_corrupted(struct fmt_out *out, const struct kfence_report *r)
{
	uintptr_t addr = r->addr, end = align_up(addr + 1, PAGE_SIZE);

	if (addr < r->object->addr)
		end = r->object->addr;
	end = min(end, addr + SHOWN);
	fmt_out_printf(out, "Corrupted memory at %p [", pointer(addr));
	for (; addr < end; addr++) {
		unsigned char byte = *(const unsigned char *)addr;

		if (byte == kfence_canary(addr))
			fmt_out_printf(out, " .");
		else
			fmt_out_printf(out, " 0x%02x", byte);
	}
	fmt_out_printf(out, " ] (in kfence-#%u):\n", r->number);
}

static void print_what(struct fmt_out *out, const struct kfence_report *r)
{
	switch (r->error) {
	case KFENCE_OUT_OF_BOUNDS:
		print_out_of_bounds(out, r);
		break;
	case KFENCE_USE_AFTER_FREE:
		fmt_out_printf(out, "Use-after-free %s at %p (in kfence-#%u):\n",
			       r->write ? "write" : "read", pointer(r->addr), r->number);
		break;
	case KFENCE_CORRUPTION:
		print_corrupted(out, r);
		break;
	case KFENCE_INVALID:
		fmt_out_printf(out, "Invalid %s at %p:\n", r->write ? "write" : "read",
			       pointer(r->addr));
		break;
	case KFENCE_INVALID_FREE:
		fmt_out_printf(out, "Invalid free of %p (in kfence-#%u):\n", pointer(r->addr),
			       r->number);
		break;
	}
}

void kfence_print(const struct kfence_report *r)
{
	const void *stack[KFENCE_DEPTH];
	struct fmt_out out;
	char buf[512];

	fmt_out_fd(&out, buf, sizeof(buf), 2);
	print_title(&out, r);
	print_what(&out, r);
	print_stack(&out, stack, os_backtrace(stack, KFENCE_DEPTH, r->pc, r->fp));
	print_object(&out, r);
	fmt_out_printf(&out, "%s", ruler);
	fmt_out_flush(&out);
}
