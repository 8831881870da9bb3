/* SPDX-License-Identifier: MIT */
/*
 * What is said when an allocation fails: the kernel's line, and the state of memory.
 *
 * The name of the process is not looked up: that would be a system call which a sandbox may forbid.
 *
 * References: Linux mm/page_alloc.c (warn_alloc), mm/show_mem.c.
 */
#include "kmalloc/api.h"

#include "lib/fmt.h"
#include "mm/vmap.h"
#include "mm/zone.h"

#define MAX_REPORTS_MS	5000	/* at most one of them in this time, as the kernel's rate limit */

struct gfp_name {
	gfp_t bits;
	const char *name;
};

/* Larger sets first: what a set covers is not said again. */
static const struct gfp_name names[] = {
	{ GFP_USER, "GFP_USER" },
	{ GFP_KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT" },
	{ __GFP_RECLAIM | __GFP_IO | __GFP_FS, "GFP_KERNEL" },
	{ GFP_NOFS, "GFP_NOFS" },
	{ GFP_ATOMIC, "GFP_ATOMIC" },
	{ GFP_NOIO, "GFP_NOIO" },
	{ GFP_NOWAIT, "GFP_NOWAIT" },
	{ __GFP_DMA, "GFP_DMA" },
	{ __GFP_HIGHMEM, "__GFP_HIGHMEM" },
	{ __GFP_DMA32, "GFP_DMA32" },
	{ __GFP_MOVABLE, "__GFP_MOVABLE" },
	{ __GFP_RECLAIMABLE, "__GFP_RECLAIMABLE" },
	{ __GFP_HIGH, "__GFP_HIGH" },
	{ __GFP_IO, "__GFP_IO" },
	{ __GFP_FS, "__GFP_FS" },
	{ __GFP_ZERO, "__GFP_ZERO" },
	{ __GFP_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM" },
	{ __GFP_KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM" },
	{ __GFP_WRITE, "__GFP_WRITE" },
	{ __GFP_NOWARN, "__GFP_NOWARN" },
	{ __GFP_RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL" },
	{ __GFP_NOFAIL, "__GFP_NOFAIL" },
	{ __GFP_NORETRY, "__GFP_NORETRY" },
	{ __GFP_MEMALLOC, "__GFP_MEMALLOC" },
	{ __GFP_COMP, "__GFP_COMP" },
	{ __GFP_NOMEMALLOC, "__GFP_NOMEMALLOC" },
	{ __GFP_HARDWALL, "__GFP_HARDWALL" },
	{ __GFP_THISNODE, "__GFP_THISNODE" },
	{ __GFP_ACCOUNT, "__GFP_ACCOUNT" },
};

struct gfp_text gfp_names(gfp_t gfp)
{
	struct gfp_text text = { "" };
	size_t at = 0;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if ((gfp & names[i].bits) != names[i].bits)
			continue;
		gfp &= ~names[i].bits;
		at += fmt_snprint(text.text + at, sizeof(text.text) - at, "%s%s", at ? "|" : "",
				  names[i].name);
	}
	if (gfp || !at)
		fmt_snprint(text.text + at, sizeof(text.text) - at, "%s0x%x", at ? "|" : "", gfp);
	return text;
}

/* Of <linux/mm.h>. */
__export void show_mem(void);

static void print_orders(struct fmt_out *out)
{
	size_t blocks[NR_ORDERS];
	unsigned k;

	zone_count_blocks(blocks);
	fmt_out_printf(out, "Normal:");
	for (k = 0; k < NR_ORDERS; k++)
		fmt_out_printf(out, " %zu*%zukB", blocks[k], (PAGE_SIZE << k) / 1024);
	fmt_out_printf(out, "\n");
}

static void print_state(struct fmt_out *out)
{
	size_t reserve = READ_ONCE(zone.reserve), kib = PAGE_SIZE / 1024;

	fmt_out_printf(out, "Mem-Info:\n"
		       "Normal free:%zukB min:%zukB low:%zukB high:%zukB managed:%zukB\n",
		       READ_ONCE(zone.nr_free) * kib, reserve * kib, reserve * 5 / 4 * kib,
		       reserve * 3 / 2 * kib, READ_ONCE(zone.managed) * kib);
	print_orders(out);
	fmt_out_printf(out, "vmalloc used:%zukB lazy:%zukB\n", vmap_busy_pages() * kib,
		       vmap_lazy_pages() * kib);
}

void show_mem(void)
{
	struct fmt_out out;
	char buf[512];

	if (!heap_enter())
		return;
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	print_state(&out);
	fmt_out_flush(&out);
	gate_leave();
}

/* No more than one report in MAX_REPORTS_MS; the first one always. */
static bool may_report(void)
{
	static _Atomic uint64_t next;
	uint64_t now = os_clock_ms(), at = atomic_load(&next);

	return now >= at && atomic_compare_exchange_strong(&next, &at, now + MAX_REPORTS_MS);
}

void gfp_report_failure(const struct gfp_request *req)
{
	struct fmt_out out;
	char buf[1024];

	if (!may_report())
		return;
	fmt_out_fd(&out, buf, sizeof(buf), 2);
	fmt_out_printf(&out, "libkmalloc: page allocation failure: order:%u, mode:0x%x(%s), "
		       "nodemask=(null)\n", req->order, req->gfp, gfp_names(req->gfp).text);
	print_state(&out);
	fmt_out_flush(&out);
}
