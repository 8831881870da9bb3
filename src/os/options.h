/* SPDX-License-Identifier: MIT */
/*
 * options - what the user may set: one table (options.def), one struct with the values in force.
 *
 * Read from, in this order, later ones winning: /etc/libkmalloc.conf, the program's own variable
 * `const char *kmalloc_options`, the environment variable KMALLOC_OPTIONS. A process that runs
 * with more rights than its caller (AT_SECURE) reads none of them.
 */
#ifndef OS_OPTIONS_H
#define OS_OPTIONS_H

#include "lib/fmt.h"
#include "lib/strutil.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIZE_CLASSES_POW2, SIZE_CLASSES_KERNEL, SIZE_CLASSES_MID, SIZE_CLASSES_QUARTER };
enum { BACKGROUND_OFF, BACKGROUND_AUTO, BACKGROUND_ON };
enum { THP_NEVER, THP_AUTO, THP_ALWAYS };
enum { ZERO_SIZE_GUARD, ZERO_SIZE_OBJECT };
enum { ON_CORRUPTION_ABORT, ON_CORRUPTION_WARN };

enum option_type { OPTION_bool, OPTION_uint, OPTION_size, OPTION_enum };

/* All types share one representation, so the table needs no code for each of them. */
struct kmalloc_options {
#define OPTION(name, type, choices, min, max, standard, help) unsigned long name;
#include "os/options.def"
#undef OPTION
};

struct option {
	const char *name;
	enum option_type type;
	const char *choices;
	unsigned long min;
	unsigned long max;
	unsigned long standard;
	const char *help;
	size_t offset;			/* of the value in struct kmalloc_options */
};

extern const struct option option_table[];
extern const size_t option_count;

/*
 * The values in force. They are the defaults before options_init() and constant after it, so
 * nobody locks to read them.
 */
extern struct kmalloc_options options;

/*
 * Read all sources. Called once, at the first allocation, while the process has one thread; that
 * may be before libc has set `environ`: with a NULL @envp the kernel's copy of the environment is
 * read instead. Allocates nothing, takes no lock, keeps errno.
 */
void options_init(char **envp);

void options_reset(struct kmalloc_options *to);

/*
 * Apply "key:value,key=value,flag" to @to. Each entry that is not understood costs one line on
 * standard error, naming @source, and changes nothing. Returns how many there were.
 */
unsigned int options_parse(struct kmalloc_options *to, const char *source, struct str text);

/* What follows slab_debug in them; at is NULL if nobody said it. */
struct str options_slab_debug(void);

/* The same for the lines of a file, with '#' comments. */
unsigned int options_parse_lines(struct kmalloc_options *to, const char *source, struct str text);

/* Apply a file of at most 4095 bytes; one that cannot be opened counts as empty. */
void options_read_file(struct kmalloc_options *to, const char *path);

unsigned long option_value(const struct option *option, const struct kmalloc_options *from);

/* Names, ranges, defaults and help, as help:1 shows them. */
void options_print_help(struct fmt_out *out);

/* The values in force on one line, in a form that KMALLOC_OPTIONS accepts. */
void options_print(struct fmt_out *out);

/* One value as a user would write it ("auto", "1m"), and what is allowed ("never|auto|always"). */
struct option_text {
	char text[48];
};

struct option_text option_format(const struct option *option, unsigned long value);
struct option_text option_range(const struct option *option);

#endif
