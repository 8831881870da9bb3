/* SPDX-License-Identifier: MIT */
/*
 * Options as text: the table for help:1, the values in force for statistics, single values and
 * ranges for warnings. Everything is derived from option_table.
 */
#include "os/options.h"

#include <limits.h>

/* Sizes in the largest unit that expresses them exactly, as a user would have typed them. */
static struct option_text format_size(unsigned long value)
{
	static const char suffixes[] = "kmgt";
	struct option_text text;
	unsigned int unit = 0;

	while (value && value % 1024 == 0 && unit < sizeof(suffixes) - 1) {
		value /= 1024;
		unit++;
	}
	fmt_snprint(text.text, sizeof(text.text), "%lu%.*s", value, unit != 0,
		    unit ? &suffixes[unit - 1] : "");
	return text;
}

static struct option_text format_choice(const char *choices, unsigned long position)
{
	struct str rest = str_of(choices);
	struct str name = str_cut(&rest, "|");
	struct option_text text;

	while (position-- && rest.at)
		name = str_cut(&rest, "|");
	fmt_snprint(text.text, sizeof(text.text), "%.*s", STR_ARG(name));
	return text;
}

struct option_text option_format(const struct option *option, unsigned long value)
{
	struct option_text text;

	if (option->type == OPTION_enum)
		return format_choice(option->choices, value);
	if (option->type == OPTION_size)
		return format_size(value);
	fmt_snprint(text.text, sizeof(text.text), "%lu", value);
	return text;
}

struct option_text option_range(const struct option *option)
{
	struct option_text range;

	if (option->type == OPTION_enum)
		fmt_snprint(range.text, sizeof(range.text), "%s", option->choices);
	else if (option->type == OPTION_bool)
		fmt_snprint(range.text, sizeof(range.text), "0|1");
	else if (option->max == ULONG_MAX)
		fmt_snprint(range.text, sizeof(range.text), "%s or more",
			    option_format(option, option->min).text);
	else
		fmt_snprint(range.text, sizeof(range.text), "%s to %s",
			    option_format(option, option->min).text,
			    option_format(option, option->max).text);
	return range;
}

void options_print_help(struct fmt_out *out)
{
	fmt_out_printf(out, "libkmalloc: options, as in KMALLOC_OPTIONS=decay_ms:500,stats:1\n");
	fmt_out_printf(out, "  %-15s %-24s %-8s %-8s %s\n", "name", "values", "default", "now",
		       "meaning");
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		fmt_out_printf(out, "  %-15s %-24s %-8s %-8s %s\n", option->name,
			       option_range(option).text,
			       option_format(option, option->standard).text,
			       option_format(option, option_value(option, &options)).text,
			       option->help);
	}
}

void options_print(struct fmt_out *out)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		fmt_out_printf(out, "%s%s:%s", i ? "," : "", option->name,
			       option_format(option, option_value(option, &options)).text);
	}
}
