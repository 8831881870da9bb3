/* SPDX-License-Identifier: MIT */
/*
 * The parser of options, on any bytes and on bytes that look like options. Values stay in their
 * ranges, a number that fits is taken as it is, and what is printed reads back as the same values.
 */
#include "fuzz.h"

#include <fcntl.h>

#include "os/options.h"

/* Complaints are what is expected here, thousands a second. */
static void be_quiet(void)
{
	static bool quiet;
	int fd;

	if (quiet)
		return;
	quiet = true;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || dup2(fd, 2) < 0)
		abort();
}

static void must_be_in_range(const struct kmalloc_options *o)
{
	for (size_t i = 0; i < option_count; i++) {
		unsigned long v = option_value(&option_table[i], o);

		FUZZ_MUST(v >= option_table[i].min && v <= option_table[i].max, "%s is %lu",
			  option_table[i].name, v);
	}
}

static void must_read_back(const struct kmalloc_options *o)
{
	struct kmalloc_options again;
	char text[2048], line[2048];
	struct fmt_out out;
	const char *at;

	options = *o;
	fmt_out_init(&out, text, sizeof(text) - 1, NULL, NULL);
	options_print(&out);
	text[out.used] = '\0';
	for (at = text; *at && strncmp(at, "size_classes", 12); at++)
		;
	snprintf(line, sizeof(line), "%s", at);
	line[strcspn(line, "\n")] = '\0';
	options_reset(&again);
	FUZZ_MUST(!options_parse(&again, "fuzz", str_of(line)), "not understood: %s", line);
	FUZZ_MUST(!memcmp(&again, o, sizeof(again)), "reads back as something else: %s", line);
}

static void number(struct bytes *in, struct kmalloc_options *o)
{
	const struct option *option = &option_table[take8(in) % option_count];
	unsigned long before = option_value(option, o), v = take_size(in, 31), after;
	char text[100];
	unsigned bad;

	if (option->type == OPTION_enum)
		return;
	snprintf(text, sizeof(text), "%s%c%lu", option->name, take8(in) & 1 ? ':' : '=', v);
	bad = options_parse(o, "fuzz", str_of(text));
	after = option_value(option, o);
	if (v >= option->min && v <= option->max)
		FUZZ_MUST(!bad && after == v, "%s gave %lu", text, after);
	else
		FUZZ_MUST(bad && after == before, "%s was taken", text);
}

/* Pieces of what is right, in any order, between bytes of the input. */
static size_t plausible(struct bytes *in, char *text, size_t size)
{
	static const char *const words[] = {
		"size_classes", "decay_ms", "thp", "limit", "stats", "help", "hardened", ":", "=", ",",
		"auto", "never", "1", "0", "18446744073709551615", "18446744073709551616", "1t", "64k",
		"-1", "0x10", " ", "\n", "#", "slab_debug", "FZPU", ";", "quarter", "on", "no",
	};
	size_t n = 0;

	while (more(in) && n + 32 < size) {
		unsigned c = take8(in);

		if (c & 0x80)
			n += (size_t)snprintf(text + n, size - n, "%s",
					      words[(c & 0x7f) % ARRAY_SIZE_OF(words)]);
		else
			text[n++] = (char)c;
		fuzz_operations++;
	}
	return n;
}

void fuzz_one(struct bytes *in)
{
	struct kmalloc_options o;
	unsigned how = take8(in), i;
	char text[2048];
	size_t n;

	be_quiet();
	options_reset(&o);
	for (i = 0; i < how % 8; i++)
		number(in, &o);
	n = plausible(in, text, sizeof(text));
	if (how & 0x80)
		options_parse_lines(&o, "fuzz", (struct str){ text, n });
	else
		options_parse(&o, "fuzz", (struct str){ text, n });
	must_be_in_range(&o);
	must_read_back(&o);
}
