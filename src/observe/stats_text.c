/* SPDX-License-Identifier: MIT */
/*
 * Statistics as one screen of text: where the memory is, first for people, then by cache.
 */
#include "observe/stats.h"
#include "os/options.h"

struct line {
	const char *what;
	uint64_t bytes;
	const char *remark;
};

static void print_lines(struct fmt_out *out, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fmt_out_printf(out, "  %-24s %12s  %s\n", lines[i].what,
			       fmt_size(lines[i].bytes).text, lines[i].remark);
}

static void print_live(struct fmt_out *out, const struct kmalloc_stats *s)
{
	fmt_out_printf(out, "  %-24s %12s  objects %s (%llu), pages %s, areas %s (%llu)\n", "live",
		       fmt_size(s->live_bytes).text, fmt_size(s->live_object_bytes).text,
		       (unsigned long long)s->live_objects, fmt_size(s->page_bytes).text,
		       fmt_size(s->vmalloc_bytes).text, (unsigned long long)s->vmalloc_areas);
}

static void print_summary(struct fmt_out *out, const struct kmalloc_stats *s)
{
	const struct line lines[] = {
		{ "cached in magazines", s->cached_thread_bytes, "at hand for one thread" },
		{ "cached in depots", s->cached_depot_bytes, "at hand for all threads" },
		{ "free in slabs", s->free_object_bytes, "beside objects in use" },
		{ "the library's own", s->own_bytes, "magazines, threads" },
		{ "free pages, dirty", s->free_dirty_bytes, "will go back to the system" },
		{ "free pages, clean", s->free_clean_bytes, "hold no memory" },
		{ "freed areas", s->vmalloc_lazy_bytes, "kept for a while" },
		{ "mapped", s->mapped_bytes, "address space for all of this" },
		{ "returned to the system", s->returned_bytes, "since the start" },
	};

	print_live(out, s);
	print_lines(out, lines, ARRAY_SIZE(lines));
}

void stats_print(struct fmt_out *out)
{
	struct kmalloc_stats stats;
	bool complete = stats_get(&stats);

	fmt_out_printf(out, "libkmalloc " PACKAGE_VERSION "%s\n",
		       complete ? "" : " (incomplete: called inside malloc or during fork)");
	print_summary(out, &stats);
	fmt_out_printf(out, "  options ");
	options_print(out);
	fmt_out_printf(out, "\n");
	slabinfo_print(out, true);
}

void stats_print_fd(int fd)
{
	char buf[1024];
	struct fmt_out out;

	fmt_out_fd(&out, buf, sizeof(buf), fd);
	stats_print(&out);
	fmt_out_flush(&out);
}
