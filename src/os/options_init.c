/* SPDX-License-Identifier: MIT */
/*
 * Where options come from: the file, the program's symbol, the environment.
 *
 * ld.so lets an IRELATIVE resolver of the program call malloc before libc has set `environ`
 * (seen with glibc 2.36; getauxval() works there already). The kernel's copy of the environment
 * in /proc answers then. It is never read otherwise, so an ordinary start costs one failing
 * openat(2) for the configuration file.
 */
#include "os/options.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "os/file.h"

#define CONFIG_FILE "/etc/libkmalloc.conf"
#define VARIABLE "KMALLOC_OPTIONS"

/* On the stack, perhaps of a small thread. The file, and one variable, may be this long. */
enum { BUFFER_SIZE = 4096 };

/* A program may define this to carry its own settings. */
extern const char *kmalloc_options __attribute__((weak, visibility("default")));

void options_read_file(struct kmalloc_options *to, const char *path)
{
	char buf[BUFFER_SIZE];
	int fd = os_file_open(path);
	size_t used;

	if (fd < 0)
		return;
	used = os_file_read(fd, buf, sizeof(buf));
	os_file_close(fd);
	if (used == sizeof(buf)) {
		fmt_print(STDERR_FILENO,
			  "libkmalloc: %s: lines beyond %u bytes are ignored\n", path,
			  (unsigned int)sizeof(buf) - 1);
		while (used && buf[used - 1] != '\n')
			used--;
	}
	options_parse_lines(to, path, (struct str){ buf, used });
}

/* The value in "KMALLOC_OPTIONS=value", else NULL. */
static const char *match_variable(const char *entry)
{
	static const char prefix[] = VARIABLE "=";

	if (strncmp(entry, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	return entry + sizeof(prefix) - 1;
}

static void read_environ(char **envp)
{
	for (; *envp; envp++) {
		const char *value = match_variable(*envp);

		if (!value)
			continue;
		options_parse(&options, VARIABLE, str_of(value));
		return;
	}
}

/* Looks at the whole entries in @buf[0 .. used); returns where the unfinished last one begins. */
static size_t scan_entries(const char *buf, size_t used, bool *found)
{
	size_t at = 0;

	while (!*found) {
		const char *end = memchr(buf + at, '\0', used - at);
		const char *value;

		if (!end)
			break;
		value = match_variable(buf + at);
		if (value) {
			options_parse(&options, VARIABLE, str_of(value));
			*found = true;
		}
		at = (size_t)(end - buf) + 1;
	}
	return at;
}

/* A window slides over the file; an entry longer than the window cannot be ours and is skipped. */
static void scan_proc_environ(int fd)
{
	char buf[BUFFER_SIZE];
	size_t used = 0;
	bool found = false;

	for (;;) {
		size_t got = os_file_read(fd, buf + used, sizeof(buf) - used);
		size_t done;

		used += got;
		done = scan_entries(buf, used, &found);
		if (found || !got)
			return;
		/* Of an overlong entry a mark stays, so that its tail is not taken for a name. */
		if (!done && used == sizeof(buf)) {
			done = used - 1;
			buf[done] = '?';
		}
		used -= done;
		memmove(buf, buf + done, used);
	}
}

static void read_proc_environ(void)
{
	int fd = os_file_open("/proc/self/environ");

	if (fd < 0)
		return;
	scan_proc_environ(fd);
	os_file_close(fd);
}

static void read_symbol(void)
{
	if (&kmalloc_options && kmalloc_options)
		options_parse(&options, "kmalloc_options", str_of(kmalloc_options));
}

static void print_help(void)
{
	char buf[512];
	struct fmt_out out;

	fmt_out_fd(&out, buf, sizeof(buf), STDERR_FILENO);
	options_print_help(&out);
	fmt_out_flush(&out);
}

static void read_sources(char **envp)
{
	options_read_file(&options, CONFIG_FILE);
	read_symbol();
	if (envp)
		read_environ(envp);
	else
		read_proc_environ();
	if (options.help)
		print_help();
}

void options_init(char **envp)
{
	int saved = errno;	/* getauxval() sets it */

	if (!getauxval(AT_SECURE))
		read_sources(envp);
	errno = saved;
}
