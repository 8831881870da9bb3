/* SPDX-License-Identifier: MIT */
/*
 * The caches in the format of the kernel's /proc/slabinfo, version 2.1, which people know how to
 * read and programs how to parse.
 *
 * Columns that name mechanisms of the kernel get what comes nearest here: active_objs is what the
 * program uses, so objects in magazines are not active; limit is what a thread may hold, its two
 * magazines; batchcount is one magazine; sharedfactor is how many a depot may hold, and
 * sharedavail the objects in it.
 */
#include "kmalloc/api.h"
#include "observe/stats.h"

static void print_header(struct fmt_out *out)
{
	fmt_out_printf(out, "slabinfo - version: 2.1\n");
	fmt_out_printf(out, "# %-15s %s : %s : %s\n", "name",
		       "<active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>",
		       "tunables <limit> <batchcount> <sharedfactor>",
		       "slabdata <active_slabs> <num_slabs> <sharedavail>");
}

static void print_row(struct fmt_out *out, const struct cache_stats *c)
{
	fmt_out_printf(out, "%-17s %6zu %6zu %6u %4u %4u", c->name, c->live, c->objects, c->size,
		       c->objects_per_slab, c->pages_per_slab);
	fmt_out_printf(out, " : tunables %4u %4u %4u", 2 * c->magazine_rounds, c->magazine_rounds,
		       c->depot_magazines);
	fmt_out_printf(out, " : slabdata %6zu %6zu %6zu\n", c->active_slabs, c->slabs, c->in_depot);
}

/* As Linux 2.4 had it: without what a slab holds, but with the slabs in use. */
static void print_old_row(struct fmt_out *out, const struct cache_stats *c)
{
	fmt_out_printf(out, "%-17s %6zu %6zu %6u %4zu %4zu %4u : %4u %4u\n", c->name, c->live,
		       c->objects, c->size, c->active_slabs, c->slabs, c->pages_per_slab,
		       2 * c->magazine_rounds, c->magazine_rounds);
}

struct table {
	struct fmt_out *out;
	bool old;
	struct thread_rounds rounds;
	bool used;
};

static void print_cache(struct kmem_cache *s, void *arg)
{
	struct table *table = arg;
	struct cache_stats stats;

	cache_stats_get(s, &table->rounds, &stats);
	if (table->used && !stats.slabs)
		return;
	if (table->old)
		print_old_row(table->out, &stats);
	else
		print_row(table->out, &stats);
}

void slabinfo_print(struct fmt_out *out, bool used)
{
	struct table table = { .out = out, .used = used };

	thread_rounds_get(&table.rounds);
	print_header(out);
	cache_for_each(print_cache, &table);
}

void slabinfo_print_old(struct fmt_out *out)
{
	struct table table = { .out = out, .old = true };

	thread_rounds_get(&table.rounds);
	fmt_out_printf(out, "slabinfo - version: 1.1\n");
	cache_for_each(print_cache, &table);
}

void kmalloc_slabinfo(int fd, int version)
{
	struct fmt_out out;
	char buf[1024];

	fmt_out_fd(&out, buf, sizeof(buf), fd);
	if (version == 11)
		slabinfo_print_old(&out);
	else
		slabinfo_print(&out, false);
	fmt_out_flush(&out);
}
