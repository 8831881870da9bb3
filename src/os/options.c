/* SPDX-License-Identifier: MIT */
/*
 * The options table and the parser of "key:value,key:value".
 *
 * Runs inside the first malloc of the process, possibly before libc's constructors: no stdio, no
 * getenv, no locks, no allocation. A mistake of the user must never keep a program from running:
 * every entry that is not understood becomes one warning, and the value stays as it was.
 */
#include "os/options.h"

#include <limits.h>
#include <stdint.h>
#include <unistd.h>

const struct option option_table[] = {
#define OPTION(name, type, choices, min, max, standard, help)				\
	{ #name, OPTION_##type, choices, min, max, standard, help,			\
	  offsetof(struct kmalloc_options, name) },
#include "os/options.def"
#undef OPTION
};

const size_t option_count = sizeof(option_table) / sizeof(option_table[0]);

struct kmalloc_options options = {
#define OPTION(name, type, choices, min, max, standard, help) .name = standard,
#include "os/options.def"
#undef OPTION
};

static unsigned long *value_of(const struct option *option, struct kmalloc_options *in)
{
	return (unsigned long *)((char *)in + option->offset);
}

unsigned long option_value(const struct option *option, const struct kmalloc_options *from)
{
	return *(const unsigned long *)((const char *)from + option->offset);
}

void options_reset(struct kmalloc_options *to)
{
	for (size_t i = 0; i < option_count; i++)
		*value_of(&option_table[i], to) = option_table[i].standard;
}

/* What the user wrote, made fit for a terminal: bounded, and nothing but printable ASCII. */
static struct option_text quote(struct str s)
{
	struct option_text quoted;
	size_t len = s.len < sizeof(quoted.text) - 4 ? s.len : sizeof(quoted.text) - 4;

	for (size_t i = 0; i < len; i++)
		quoted.text[i] = s.at[i] >= ' ' && s.at[i] <= '~' ? s.at[i] : '?';
	fmt_snprint(quoted.text + len, sizeof(quoted.text) - len, "%s", len < s.len ? "..." : "");
	return quoted;
}

static const struct option *find(struct str name)
{
	for (size_t i = 0; i < option_count; i++) {
		if (str_equal(name, str_of(option_table[i].name)))
			return &option_table[i];
	}
	return NULL;
}

/* The name that was probably meant; none if more than half of it would have to change. */
static const char *find_nearest(struct str name)
{
	unsigned int best = UINT_MAX;
	const char *nearest = NULL;

	for (size_t i = 0; i < option_count; i++) {
		struct str known = str_of(option_table[i].name);
		unsigned int distance = str_distance(name, known);

		if (distance < best && distance <= (known.len + 1) / 2) {
			best = distance;
			nearest = known.at;
		}
	}
	return nearest;
}

static void warn_unknown(const char *source, struct str name)
{
	const char *nearest = find_nearest(name);

	if (nearest)
		fmt_print(STDERR_FILENO,
			  "libkmalloc: %s: unknown option \"%s\", did you mean \"%s\"?\n",
			  source, quote(name).text, nearest);
	else
		fmt_print(STDERR_FILENO,
			  "libkmalloc: %s: unknown option \"%s\", help:1 lists all\n",
			  source, quote(name).text);
}

static void warn_invalid(const char *source, const struct option *option, struct str value,
			 unsigned long kept)
{
	fmt_print(STDERR_FILENO,
		  "libkmalloc: %s: %s cannot be \"%s\" (allowed: %s), it stays %s\n",
		  source, option->name, quote(value).text, option_range(option).text,
		  option_format(option, kept).text);
}

/* The position of @name among the choices "a|b|c". */
static bool parse_choice(const char *choices, struct str name, unsigned long *value)
{
	struct str rest = str_of(choices);
	unsigned long position = 0;

	while (rest.at) {
		if (str_equal(str_cut(&rest, "|"), name)) {
			*value = position;
			return true;
		}
		position++;
	}
	return false;
}

/* Even positions mean no, odd ones yes. */
static bool parse_bool(struct str text, unsigned long *value)
{
	if (!parse_choice("0|1|off|on|no|yes|false|true", text, value))
		return false;
	*value &= 1;
	return true;
}

static bool parse_value(const struct option *option, struct str text, unsigned long *value)
{
	switch (option->type) {
	case OPTION_bool:
		return parse_bool(text, value);
	case OPTION_enum:
		return parse_choice(option->choices, text, value);
	case OPTION_uint:
	case OPTION_size:
		return str_number(text, option->type == OPTION_size, value) &&
		       *value >= option->min && *value <= option->max;
	}
	return false;
}

/*
 * slab_debug has a language of its own (slab/debug_options.c), in which commas separate names: what
 * follows it up to the next option is kept as it is.
 */
static char slab_debug_text[512];
static size_t slab_debug_len;
static bool in_slab_debug;

static void slab_debug_add(const char *separator, struct str text)
{
	if (text.len + 1 >= sizeof(slab_debug_text) - slab_debug_len) {
		fmt_print(STDERR_FILENO,
			  "libkmalloc: slab_debug: %.*s does not fit and is ignored\n",
			  STR_ARG(text));
		return;
	}
	slab_debug_len += fmt_snprint(slab_debug_text + slab_debug_len,
				      sizeof(slab_debug_text) - slab_debug_len, "%s%.*s", separator,
				      STR_ARG(text));
}

/* Does @entry belong to a slab_debug before it, or is it one? */
static bool take_slab_debug(struct str entry)
{
	struct str rest = entry;
	struct str key = str_trim(str_cut(&rest, ":="));

	if (in_slab_debug && !rest.at && !find(key)) {
		slab_debug_add(",", entry);
		return true;
	}
	in_slab_debug = str_equal(key, str_of("slab_debug"));
	if (in_slab_debug) {
		slab_debug_len = 0;
		slab_debug_add("", rest.at ? rest : str_of("FZPU"));
	}
	return in_slab_debug;
}

struct str options_slab_debug(void)
{
	return (struct str){ slab_debug_len ? slab_debug_text : NULL, slab_debug_len };
}

/* "key:value"; a bare "key" switches a bool on. */
static bool parse_entry(struct kmalloc_options *to, const char *source, struct str entry)
{
	struct str rest = entry;
	struct str key = str_trim(str_cut(&rest, ":="));
	const struct option *option = find(key);
	unsigned long value;

	if (!option) {
		warn_unknown(source, key);
		return false;
	}
	if (!rest.at)
		rest = str_of(option->type == OPTION_bool ? "1" : "");
	rest = str_trim(rest);
	if (!parse_value(option, rest, &value)) {
		warn_invalid(source, option, rest, option_value(option, to));
		return false;
	}
	*value_of(option, to) = value;
	return true;
}

unsigned int options_parse(struct kmalloc_options *to, const char *source, struct str text)
{
	unsigned int mistakes = 0;

	while (text.at) {
		struct str entry = str_trim(str_cut(&text, ","));

		if (entry.len && !take_slab_debug(entry))
			mistakes += !parse_entry(to, source, entry);
	}
	in_slab_debug = false;
	return mistakes;
}

unsigned int options_parse_lines(struct kmalloc_options *to, const char *source, struct str text)
{
	unsigned int mistakes = 0;

	while (text.at) {
		struct str line = str_cut(&text, "\n");

		mistakes += options_parse(to, source, str_cut(&line, "#"));
	}
	return mistakes;
}
