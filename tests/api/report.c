/* SPDX-License-Identifier: MIT */
/*
 * The calls by which a program asks about its heap: mallopt, malloc_trim,
 * mallinfo, mallinfo2, malloc_info, malloc_stats. They report our heap, not the
 * empty one that the C library would find.
 */
#include "api.h"

#include <ctype.h>
#include <fcntl.h>

TestSuite(report, .timeout = 120);

static size_t resident(void)
{
	unsigned long size = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert(f && fscanf(f, "%lu %lu", &size, &rss) == 2);
	fclose(f);
	return rss * page_bytes();
}

Test(report, mallopt_returns_one)
{
	cr_expect(mallopt(M_MMAP_THRESHOLD, 256 * 1024) == 1);
	cr_expect(mallopt(M_TRIM_THRESHOLD, 256 * 1024) == 1);
	cr_expect(mallopt(M_TOP_PAD, 64 * 1024) == 1);
	cr_expect(mallopt(M_MMAP_MAX, 1000) == 1);
	cr_expect(mallopt(M_ARENA_MAX, 2) == 1);
	cr_expect(mallopt(M_PERTURB, 0) == 1);
}

Test(report, mallinfo2_counts_one_block)
{
	size_t before = live_bytes();
	void *p = malloc(100000);
	size_t with = live_bytes();

	cr_expect(with >= before + 100000, "malloc(100000) added %zu", with - before);
	free(p);
	cr_expect(live_bytes() < with, "free did not lower it");
}

static void count_blocks(size_t size, size_t count)
{
	void **p = malloc(count * sizeof(*p));
	size_t before = live_bytes(), want = size * count, got;

	for (size_t i = 0; i < count; i++)
		p[i] = malloc(size);
	got = live_bytes() - before;
	cr_expect(got >= want - want / 20 && got <= want + want / 2 + 64 * KIB,
		  "%zu blocks of %zu bytes count as %zu", count, size, got);
	for (size_t i = 0; i < count; i++)
		free(p[i]);
	got = live_bytes() - before;
	cr_expect((ptrdiff_t)got <= (ptrdiff_t)(want / 10), "%zu bytes after freeing all", got);
	free(p);
}

Test(report, mallinfo2_counts_live_bytes)
{
	count_blocks(64, 20000);
	count_blocks(1000, 16000);
	count_blocks(50000, 300);
	count_blocks(6 * MIB, 8);
}

Test(report, mallinfo2_is_consistent)
{
	void *p = malloc(10 * MIB);
	struct mallinfo2 mi = mallinfo2();

	cr_expect(mi.arena >= mi.uordblks, "arena %zu < uordblks %zu", mi.arena, mi.uordblks);
	cr_expect(mi.arena + mi.hblkhd >= 10 * MIB);
	free(p);
}

Test(report, mallinfo_counts)
{
	FAMILY(struct mallinfo (*)(void), old, "mallinfo");
	struct mallinfo before = old();
	void *p = malloc(3 * MIB);
	struct mallinfo with = old();
	int more = with.uordblks + with.hblkhd - before.uordblks - before.hblkhd;

	cr_expect(more >= (int)(3 * MIB), "malloc of 3 MiB added %d", more);
	free(p);
}

/* After a burst, malloc_trim gives the memory back now, not after the decay. */
Test(report, trim_returns_memory)
{
	enum { N = 60000 };
	static void *p[N];
	size_t before = resident();

	for (size_t i = 0; i < N; i++) {
		p[i] = malloc(1000);
		memset(p[i], 1, 1000);
	}
	size_t peak = resident();

	cr_assert(peak >= before + 50 * MIB);
	for (size_t i = 0; i < N; i++)
		free(p[i]);
	int rc = malloc_trim(0);
	size_t after = resident();

	cr_expect(rc == 1 || after < before + 4 * MIB, "malloc_trim returned %d", rc);
	cr_expect(after <= before + 4 * MIB, "%zu KiB before, %zu at peak, %zu after malloc_trim",
		  before / KIB, peak / KIB, after / KIB);
	cr_expect(malloc_trim(0) == 0 || resident() <= after);
}

/* One tag from s (after '<'): name into name[], kind returned. */
enum tag { TAG_OPEN, TAG_CLOSE, TAG_EMPTY, TAG_NONE };

static enum tag read_tag(const char **at, char *name, size_t room)
{
	const char *s = *at, *end = strchr(s, '>');
	enum tag kind = *s == '/' ? TAG_CLOSE : TAG_OPEN;
	size_t n = 0;

	if (!end)
		return TAG_NONE;
	*at = end + 1;
	if (*s == '?' || *s == '!')
		return TAG_EMPTY;
	if (end[-1] == '/')
		kind = TAG_EMPTY;
	s += kind == TAG_CLOSE;
	while ((isalnum((unsigned char)s[n]) || strchr("_-:.", s[n])) && s[n] && n + 1 < room)
		n++;
	memcpy(name, s, n);
	name[n] = '\0';
	return n ? kind : TAG_NONE;
}

static void check_well_formed(const char *xml)
{
	char stack[32][64], name[64];
	size_t depth = 0, roots = 0;

	for (const char *s = xml; (s = strchr(s, '<'));) {
		s++;
		enum tag kind = read_tag(&s, name, sizeof(name));

		cr_assert(kind != TAG_NONE, "bad tag before '%.20s'", s);
		if (kind == TAG_OPEN) {
			cr_assert(depth < ARRAY_SIZE(stack));
			roots += depth == 0;
			strcpy(stack[depth++], name);
		} else if (kind == TAG_CLOSE) {
			cr_assert(depth > 0 && strcmp(stack[depth - 1], name) == 0,
				  "</%s> closes nothing", name);
			depth--;
		}
	}
	cr_assert(depth == 0, "<%s> is never closed", stack[depth ? depth - 1 : 0]);
	cr_assert(roots == 1, "%zu root elements", roots);
}

static size_t info_text(char *buf, size_t room)
{
	FILE *f = tmpfile();

	cr_assert(f && malloc_info(0, f) == 0, "malloc_info failed");
	rewind(f);
	size_t n = fread(buf, 1, room - 1, f);

	fclose(f);
	buf[n] = '\0';
	return n;
}

Test(report, malloc_info_is_xml_about_our_heap)
{
	static char text[MIB];

	cr_assert(info_text(text, sizeof(text)) > 0);
	check_well_formed(text);
	cr_expect(strncmp(text, "<malloc ", 8) == 0, "root is '%.20s'", text);
	cr_expect(strstr(text, "kmalloc-") != NULL, "no cache of ours is named");
}

Test(report, malloc_info_refuses_options)
{
	cr_assert(malloc_info(1, stdout) != 0);
}

Test(report, malloc_stats_prints)
{
	static char text[MIB];
	char path[] = "/tmp/api-stats-XXXXXX";
	int fd = mkstemp(path), saved = dup(2);

	cr_assert(fd >= 0 && saved >= 0 && unlink(path) == 0);
	fflush(stderr);
	dup2(fd, 2);
	malloc_stats();
	fflush(stderr);
	dup2(saved, 2);
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	cr_assert(n > 0, "malloc_stats printed nothing");
	cr_expect(strstr(text, "libkmalloc") != NULL);
	cr_expect(strstr(text, "slabinfo - version: 2.1") != NULL);
	cr_expect(strstr(text, "kmalloc-64") != NULL);
}
