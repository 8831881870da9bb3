/* SPDX-License-Identifier: MIT */
/*
 * glibc's functions that look at or steer the heap, answering for ours.  A program that calls
 * malloc_trim or watches mallinfo2 gets what it would get from glibc; without these it would
 * steer and watch glibc's empty heap.
 *
 * References: mallopt(3), mallinfo(3), malloc_info(3), malloc_trim(3), malloc_stats(3).
 */
#include "malloc/malloc.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>

#include "kmalloc/gfp.h"
#include "mm/reclaim.h"
#include "observe/stats.h"
#include "os/options.h"

__export void malloc_stats(void)
{
	stats_print_fd(2);
}

/* 1 if memory was given back.  @pad, what to keep, is for a heap with a top: there is none here. */
__export int malloc_trim(size_t pad)
{
	(void)pad;
	shrink_all(GFP_KERNEL, SHRINK_HALF);
	return heap_trim() != 0;
}

/*
 * Every parameter of mallopt(3) tunes something that glibc's malloc has and this one does not
 * (bins, arenas, the top of the heap), or is an option here: accepted without effect, as the manual
 * allows for values that are only hints.
 */
__export int mallopt(int param, int value)
{
	(void)param;
	(void)value;
	return 1;
}

/* For headers that lack them (glibc before 2.33, musl): programs may ask all the same. */
#if !defined(HAVE_STRUCT_MALLINFO2)
struct mallinfo2 {
	size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
	       keepcost;
};
#endif
#if !defined(HAVE_STRUCT_MALLINFO)
struct mallinfo {
	int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};
#endif

struct mallinfo2 mallinfo2(void);
struct mallinfo mallinfo(void);
int mallopt(int param, int value);
int malloc_trim(size_t pad);
int malloc_info(int options_must_be_zero, FILE *stream);
void malloc_stats(void);

__export struct mallinfo2 mallinfo2(void)
{
	struct mallinfo2 info = { 0 };
	struct kmalloc_stats st;

	stats_get(&st);
	info.arena = st.heap_bytes;
	info.ordblks = st.caches;
	info.hblks = st.vmalloc_areas;
	info.hblkhd = st.vmalloc_bytes;
	info.fsmblks = st.cached_thread_bytes + st.cached_depot_bytes;
	info.uordblks = st.live_object_bytes + st.page_bytes;
	info.fordblks = st.heap_bytes - info.uordblks;
	info.keepcost = st.free_dirty_bytes + st.vmalloc_lazy_bytes;
	return info;
}

static int clamp(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

/* The old interface has int fields: what does not fit shows as INT_MAX instead of wrapping. */
__export struct mallinfo mallinfo(void)
{
	struct mallinfo2 wide = mallinfo2();

	return (struct mallinfo){
		.arena = clamp(wide.arena), .ordblks = clamp(wide.ordblks),
		.hblks = clamp(wide.hblks), .hblkhd = clamp(wide.hblkhd),
		.fsmblks = clamp(wide.fsmblks), .uordblks = clamp(wide.uordblks),
		.fordblks = clamp(wide.fordblks), .keepcost = clamp(wide.keepcost),
	};
}

/*
 * malloc_info: the one function here that the C library gives a stream.  Its buffer may come
 * from malloc, so nothing is held while it is written.
 */

static void to_stream(void *stream, const char *text, size_t len)
{
	fwrite(text, 1, len, stream);
}

static void info_cache(struct kmem_cache *s, void *arg)
{
	struct cache_stats st;

	if (!cache_stats_get(s, NULL, &st) || !st.slabs)
		return;
	fmt_out_printf(arg,
		       "  <size name=\"%s\" from=\"%u\" to=\"%u\" total=\"%zu\" count=\"%zu\"/>\n",
		       st.name, st.object_size, st.size, st.free * st.size, st.free);
}

static void info_totals(struct fmt_out *out, const struct kmalloc_stats *st)
{
	unsigned long mapped = (unsigned long)(st->vmalloc_bytes + st->vmalloc_lazy_bytes);
	unsigned long heap = (unsigned long)st->heap_bytes;

	fmt_out_printf(out, "<total type=\"fast\" count=\"0\" size=\"%lu\"/>\n",
		       (unsigned long)(st->cached_thread_bytes + st->cached_depot_bytes));
	fmt_out_printf(out, "<total type=\"rest\" count=\"0\" size=\"%lu\"/>\n",
		       (unsigned long)(st->free_object_bytes + st->free_dirty_bytes));
	fmt_out_printf(out, "<total type=\"mmap\" count=\"%lu\" size=\"%lu\"/>\n",
		       (unsigned long)st->vmalloc_areas, (unsigned long)st->vmalloc_bytes);
	fmt_out_printf(out, "<system type=\"current\" size=\"%lu\"/>\n", heap + mapped);
	fmt_out_printf(out, "<system type=\"max\" size=\"%lu\"/>\n", heap + mapped);
	fmt_out_printf(out, "<aspace type=\"total\" size=\"%lu\"/>\n", heap + mapped);
	fmt_out_printf(out, "<aspace type=\"mprotect\" size=\"%lu\"/>\n", heap);
}

__export int malloc_info(int options_must_be_zero, FILE *stream)
{
	struct kmalloc_stats st;
	struct fmt_out out;
	char buf[512];

	if (options_must_be_zero)
		return EINVAL;
	stats_get(&st);
	fmt_out_init(&out, buf, sizeof(buf), to_stream, stream);
	fmt_out_printf(&out, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n");
	cache_for_each(info_cache, &out);
	fmt_out_printf(&out, "</sizes>\n");
	info_totals(&out, &st);
	fmt_out_printf(&out, "</heap>\n");
	info_totals(&out, &st);
	fmt_out_printf(&out, "</malloc>\n");
	fmt_out_flush(&out);
	return 0;
}
