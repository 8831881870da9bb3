/* SPDX-License-Identifier: MIT */
/*
 * The reports of slab debugging, in SLUB's format (Linux Documentation/mm/slub.rst).
 *
 * Callers are places in modules: names of functions would need the dynamic linker's locks.
 * addr2line(1) knows them.  Modules are looked up when a report is written, so one that was
 * unloaded meanwhile is not named.
 */
#include "slab/debug_impl.h"

#include <stdarg.h>

#include "lib/bits.h"

static _Atomic unsigned long errors;

unsigned long slab_debug_errors(void)
{
	return atomic_load(&errors);
}

void slab_debug_count_errors(unsigned long nr)
{
	atomic_fetch_add(&errors, nr);
}

#define LINE_BYTES	16

static void print_line(struct fmt_out *out, const char *label, const unsigned char *at, size_t n)
{
	size_t i;

	fmt_out_printf(out, "%s%p: ", label, (void *)(uintptr_t)at);
	for (i = 0; i < LINE_BYTES; i++) {
		if (i < n)
			fmt_out_printf(out, "%02x ", at[i]);
		else
			fmt_out_printf(out, "   ");
	}
	for (i = 0; i < n; i++)
		fmt_out_printf(out, "%c", at[i] >= ' ' && at[i] <= '~' ? at[i] : '.');
	fmt_out_printf(out, "\n");
}

static void print_section(struct fmt_out *out, const char *label, const unsigned char *start,
			  size_t size)
{
	size_t at;

	for (at = 0; at < size; at += LINE_BYTES)
		print_line(out, label, start + at, min(size - at, (size_t)LINE_BYTES));
}

static void print_slab(struct fmt_out *out, struct page *slab)
{
	fmt_out_printf(out, "Slab %p objects=%u used=%zu fp=%p flags=0x%x\n",
		       (void *)page_to_addr(slab), slab->cache->objects, debug_inuse(slab),
		       debug_first_free(slab), slab->flags);
}

static void print_object(struct fmt_out *out, struct page *slab, const unsigned char *object)
{
	const struct kmem_cache *s = slab->cache;

	debug_print_tracks(out, s, object);
	print_slab(out, slab);
	fmt_out_printf(out, "Object %p @offset=%zu fp=%p\n\n", (void *)(uintptr_t)object,
		       (size_t)((uintptr_t)object - page_to_addr(slab)), debug_get_next(s, object));
	if (s->flags & SLAB_RED_ZONE)
		print_section(out, "Redzone  ", object - s->left, s->left);
	else if ((uintptr_t)object >= page_to_addr(slab) + LINE_BYTES)
		print_section(out, "Bytes b4 ", object - LINE_BYTES, LINE_BYTES);
	print_section(out, "Object   ", object, min((size_t)s->object_size, PAGE_SIZE));
	if (s->flags & SLAB_RED_ZONE)
		print_section(out, "Redzone  ", object + s->object_size,
			      inuse_end(s) - s->object_size);
	print_section(out, "Padding  ", object + info_end(s), s->size - s->left - info_end(s));
}

static void print_call_trace(struct fmt_out *out)
{
	if (!debug_frame)
		return;
	fmt_out_printf(out, "Call Trace:\n");
	debug_print_stack(out, debug_frame);
}

static void print_heading(struct fmt_out *out, const char *name, const char *fmt, va_list ap)
{
	char line[128];

	fmt_vsnprint(line, sizeof(line), fmt, ap);
	fmt_out_printf(out, "=========================================================="
		       "===================\nBUG %s (Not tainted): %s\n"
		       "----------------------------------------------------------"
		       "-------------------\n\n", name, line);
}

static void heading(struct fmt_out *out, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_heading(out, name, fmt, ap);
	va_end(ap);
}

void slab_debug_heading(const char *name, const char *what)
{
	struct fmt_out out;
	char buf[512];

	fmt_out_fd(&out, buf, sizeof(buf), 2);
	heading(&out, name, "%s", what);
	fmt_out_flush(&out);
}

static void print_restoring(struct fmt_out *out, const struct kmem_cache *s, const char *what,
			    const unsigned char *first, const unsigned char *last,
			    unsigned char value)
{
	fmt_out_printf(out, "FIX %s: Restoring %s %p-%p=0x%x\n", s->name, what,
		       (void *)(uintptr_t)first, (void *)(uintptr_t)last, value);
}

void debug_object_error(struct page *slab, const void *object, const char *reason)
{
	struct fmt_out out;
	char buf[512];

	slab_debug_count_errors(1);
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	heading(&out, slab->cache->name, "%s", reason);
	print_object(&out, slab, object);
	print_call_trace(&out);
	fmt_out_flush(&out);
}

void debug_overwritten(struct page *slab, const void *object, const char *what,
		       const unsigned char *first, const unsigned char *last,
		       unsigned char expected)
{
	struct fmt_out out;
	char buf[512];

	slab_debug_count_errors(2);
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	heading(&out, slab->cache->name, "%s overwritten", what);
	fmt_out_printf(&out, "%p-%p @offset=%zu. First byte 0x%x instead of 0x%x\n",
		       (void *)(uintptr_t)first, (void *)(uintptr_t)last,
		       (size_t)((uintptr_t)first - page_to_addr(slab)), *first, expected);
	print_object(&out, slab, object);
	print_call_trace(&out);
	print_restoring(&out, slab->cache, what, first, last, expected);
	fmt_out_flush(&out);
}

void debug_tail_overwritten(struct page *slab, const unsigned char *first,
			    const unsigned char *last)
{
	uintptr_t base = page_to_addr(slab);
	const unsigned char *tail =
		(const unsigned char *)slab_object(slab, slab->cache->objects);
	struct fmt_out out;
	char buf[512];

	slab_debug_count_errors(2);
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	heading(&out, slab->cache->name, "Padding overwritten. %p-%p @offset=%zu",
		(void *)(uintptr_t)first, (void *)(uintptr_t)last,
		(size_t)((uintptr_t)first - base));
	print_section(&out, "Padding ", tail,
		      (PAGE_SIZE << slab->order) - ((uintptr_t)tail - base));
	print_slab(&out, slab);
	print_restoring(&out, slab->cache, "slab padding", first, last, POISON_INUSE);
	fmt_out_flush(&out);
}

void debug_slab_error(struct page *slab, const char *fmt, ...)
{
	struct fmt_out out;
	char buf[512];
	va_list ap;

	slab_debug_count_errors(1);
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	va_start(ap, fmt);
	print_heading(&out, slab->cache->name, fmt, ap);
	va_end(ap);
	print_slab(&out, slab);
	print_call_trace(&out);
	fmt_out_flush(&out);
}

void debug_fix(const struct kmem_cache *s, const char *fmt, ...)
{
	char line[128];
	va_list ap;

	slab_debug_count_errors(1);
	va_start(ap, fmt);
	fmt_vsnprint(line, sizeof(line), fmt, ap);
	va_end(ap);
	fmt_print(2, "FIX %s: %s\n", s->name, line);
}

void debug_trace(struct page *slab, const void *object, bool alloc)
{
	const struct kmem_cache *s = slab->cache;
	struct fmt_out out;
	char buf[512];

	fmt_out_fd(&out, buf, sizeof(buf), 2);
	fmt_out_printf(&out, "TRACE %s %s %p inuse=%zu fp=%p\n", s->name,
		       alloc ? "alloc" : "free", (void *)(uintptr_t)object, debug_inuse(slab),
		       debug_first_free(slab));
	if (!alloc)
		print_section(&out, "Object ", object, s->object_size);
	print_call_trace(&out);
	fmt_out_flush(&out);
}
