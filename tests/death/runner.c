/* SPDX-License-Identifier: MIT */
/*
 * Death tests: runs the victim (victim.c) once for each row of the table and
 * compares how it ended and every word the library said. A detected corruption
 * is one line on standard error and SIGABRT (on_corruption=warn: the line and
 * nothing else); a pointer that never was ours is one line and nothing else.
 *
 * A pattern is an extended regular expression for the whole line; @1 and @2
 * stand for the addresses that the victim printed.
 */
#include "death.h"

#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES	0
#define WARN	"on_corruption:warn"
#define FOREIGN	"libkmalloc: free of @1 which was not allocated here: refused"
#define HARDENED "hardened:1"
#define STRANGER "libkmalloc: free of @1 which was not allocated here"
#define TEXT	8192

/* Found so late that the slab may be gone, and its pages in other use. */
#define TWICE_64_LATE "libkmalloc: double free of @1 " \
	"\\((cache kmalloc-64, size 64|pages|its slab is gone already)\\)"

/* In hardened mode an object has eight bytes more. */
#define TWICE_80 "libkmalloc: double free of @1 \\(cache kmalloc-80, size 80\\)"
#define TWICE_80_LATE "libkmalloc: double free of @1 " \
	"\\((cache kmalloc-80, size 80|pages|its slab is gone already)\\)"
#define BEYOND(cache, more) "libkmalloc: write beyond the end of @1 " \
	"\\(cache kmalloc-" cache more "\\)"

struct row {
	const char *name;	/* the victim's case */
	const char *options;	/* KMALLOC_OPTIONS, or NULL */
	int signal;		/* it dies of this, or LIVES */
	const char *line;	/* what the library says, or NULL: nothing */
};

static const struct row rows[] = {
	{ "double-64", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-64, size 64\\)" },
	{ "double-16", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-16, size 16\\)" },
	{ "double-1024", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-1k, size 1024\\)" },
	{ "double-32k", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-32k, size 32768\\)" },
	{ "double-run", NULL, SIGABRT, "libkmalloc: double free of @1 \\(pages\\)" },
	{ "double-after-one", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-64, size 64\\)" },
	{ "double-after-ten", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-64, size 64\\)" },
	{ "double-after-many", NULL, SIGABRT,
	  TWICE_64_LATE },
	{ "double-in-two-threads", NULL, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-64, size 64\\)" },
	{ "double-after-trim", NULL, SIGABRT,
	  TWICE_64_LATE },
	{ "realloc-freed", NULL, SIGABRT,
	  "libkmalloc: realloc of @1 which is free \\(cache kmalloc-64, size 64\\)" },

	{ "interior-64", NULL, SIGABRT, "libkmalloc: free of @2 which points 8 bytes into "
	  "an object of cache kmalloc-64 at @1" },
	{ "interior-64-by-16", NULL, SIGABRT, "libkmalloc: free of @2 which points 16 bytes into "
	  "an object of cache kmalloc-64 at @1" },
	{ "interior-1024", NULL, SIGABRT, "libkmalloc: free of @2 which points 1000 bytes into "
	  "an object of cache kmalloc-1k at @1" },
	{ "interior-32k", NULL, SIGABRT, "libkmalloc: free of @2 which points 4096 bytes into "
	  "an object of cache kmalloc-32k at @1" },
	{ "interior-run", NULL, SIGABRT,
	  "libkmalloc: free of @2 which points 8192 bytes into pages at @1" },
	{ "interior-run-odd", NULL, SIGABRT,
	  "libkmalloc: free of @2 which points 24 bytes into pages at @1" },

	{ "foreign-stack", NULL, LIVES, FOREIGN },
	{ "foreign-static", NULL, LIVES, FOREIGN },
	{ "foreign-mmap", NULL, LIVES, FOREIGN },
	{ "foreign-low", NULL, LIVES, FOREIGN },
	{ "foreign-non-canonical", NULL, LIVES, FOREIGN },
	{ "realloc-foreign", NULL, LIVES,
	  "libkmalloc: realloc of @1 which was not allocated here: refused" },
	{ "usable-size-foreign", NULL, LIVES, ".*" },
	{ "free-null", NULL, LIVES, NULL },

	{ "double-64", WARN, LIVES,
	  "libkmalloc: double free of @1 \\(cache kmalloc-64, size 64\\)" },
	{ "double-run", WARN, LIVES, "libkmalloc: double free of @1 \\(pages\\)" },
	{ "double-after-many", WARN, LIVES,
	  TWICE_64_LATE },
	{ "interior-64", WARN, LIVES, "libkmalloc: free of @2 which points 8 bytes into "
	  "an object of cache kmalloc-64 at @1" },
	{ "interior-run", WARN, LIVES,
	  "libkmalloc: free of @2 which points 8192 bytes into pages at @1" },

	{ "double-64", HARDENED, SIGABRT, TWICE_80 },
	{ "double-16", HARDENED, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-32, size 32\\)" },
	{ "double-1024", HARDENED, SIGABRT,
	  "libkmalloc: double free of @1 \\(cache kmalloc-1280, size 1280\\)" },
	{ "double-run", HARDENED, SIGABRT, "libkmalloc: double free of @1 \\(pages\\)" },
	{ "double-after-one", HARDENED, SIGABRT, TWICE_80 },
	{ "double-after-ten", HARDENED, SIGABRT, TWICE_80 },
	{ "double-after-many", HARDENED, SIGABRT, TWICE_80_LATE },
	{ "double-in-two-threads", HARDENED, SIGABRT, TWICE_80 },
	{ "double-after-trim", HARDENED, SIGABRT, TWICE_80_LATE },
	{ "realloc-freed", HARDENED, SIGABRT, TWICE_80 },
	{ "interior-64", HARDENED, SIGABRT, "libkmalloc: free of @2 which points 8 bytes into "
	  "an object of cache kmalloc-80 at @1" },
	{ "interior-64-by-16", HARDENED, SIGABRT, "libkmalloc: free of @2 which points 16 bytes "
	  "into an object of cache kmalloc-80 at @1" },
	{ "foreign-stack", HARDENED, SIGABRT, STRANGER },
	{ "foreign-static", HARDENED, SIGABRT, STRANGER },
	{ "foreign-mmap", HARDENED, SIGABRT, STRANGER },
	{ "foreign-low", HARDENED, SIGABRT, STRANGER },
	{ "foreign-non-canonical", HARDENED, SIGABRT, STRANGER },
	{ "realloc-foreign", HARDENED, SIGABRT,
	  "libkmalloc: realloc of @1 which was not allocated here" },
	{ "usable-size-foreign", HARDENED, SIGABRT,
	  "libkmalloc: malloc_usable_size of @1 which was not allocated here" },
	{ "free-null", HARDENED, LIVES, NULL },
	{ "overflow-first", HARDENED, SIGABRT, BEYOND("32", ", size 32") },
	{ "overflow-last", HARDENED, SIGABRT, BEYOND("32", ", size 32") },
	{ "overflow-slack", HARDENED, SIGABRT,
	  BEYOND("2560", ", size 2560, 2049 bytes requested") },
	{ "overflow-usable", HARDENED, SIGABRT, BEYOND("16", ", size 16") },
	{ "overflow-zeroes", HARDENED, SIGABRT, "libkmalloc: double free of @1 "
	  "\\(cache kmalloc-32, size 32\\), or zeroes beyond its end" },
	{ "overflow-found-by-realloc", HARDENED, SIGABRT,
	  BEYOND("112", ", size 112, 100 bytes requested") },
	{ "string-unended", HARDENED, LIVES, NULL },
	{ "write-after-free-0", HARDENED, SIGABRT, "libkmalloc: write after free to @1, "
	  "0 bytes into it \\(cache kmalloc-160, size 160\\)" },
	{ "write-after-free-65", HARDENED, SIGABRT, "libkmalloc: write after free to @1, "
	  "65 bytes into it \\(cache kmalloc-160, size 160\\)" },
	{ "write-after-reuse", HARDENED, SIGABRT, "libkmalloc: write after free to @1, "
	  "64 bytes into it \\(cache kmalloc-160, size 160\\)" },
	{ "read-after-free", HARDENED, LIVES, NULL },
	{ "fresh-is-zero", HARDENED, LIVES, NULL },
	{ "reuse-is-late", HARDENED, LIVES, NULL },
	{ "overflow-large", HARDENED, SIGSEGV, NULL },
	{ "write-after-free-large", HARDENED, SIGSEGV, NULL },
	{ "write-after-reuse-large", HARDENED, SIGSEGV, NULL },
	{ "fresh-is-zero-large", HARDENED, LIVES, NULL },
	{ "double-large", HARDENED, SIGABRT, "libkmalloc: (double free of @1 \\(pages\\)|"
	  "free of @1 which was not allocated here)" },
	{ "interior-large", HARDENED, SIGABRT,
	  "libkmalloc: free of @2 which points 65536 bytes into pages at @1" },
	{ "usable-size-freed", HARDENED, SIGABRT, "libkmalloc: malloc_usable_size of @1 "
	  "which is free \\(cache kmalloc-80, size 80\\)" },
	{ "usable-size-interior", HARDENED, SIGABRT, "libkmalloc: malloc_usable_size of @2 "
	  "which points 1 bytes into an object of cache kmalloc-80 at @1" },
	{ "usable-size-exact", HARDENED, LIVES, NULL },

	{ "double-64", HARDENED "," WARN, LIVES, TWICE_80 },
	{ "overflow-first", HARDENED "," WARN, LIVES, BEYOND("32", ", size 32") },
	{ "write-after-free-0", HARDENED "," WARN, LIVES, "libkmalloc: write after free to @1, "
	  "0 bytes into it \\(cache kmalloc-160, size 160\\)" },
	{ "foreign-static", HARDENED "," WARN, LIVES, STRANGER },

	/* Beyond the buddy the mapping may be gone: foreign and freed twice are then the same. */
	{ "double-large", WARN, LIVES, "libkmalloc: (double free of @1 \\(pages\\)|"
	  "free of @1 which was not allocated here: refused)" },
	{ "interior-large", WARN, LIVES, "libkmalloc: free of @2 which (points 65536 bytes into "
	  "pages at @1|was not allocated here: refused)" },
};

struct outcome {
	int status;
	char out[TEXT];		/* addresses, and ALIVE */
	char err[TEXT];
};

static char victim[4096];

static bool find_victim(void)
{
	ssize_t n = readlink("/proc/self/exe", victim, sizeof(victim) - 16);

	if (n <= 0)
		return false;
	victim[n] = '\0';
	char *slash = strrchr(victim, '/');

	strcpy(slash + 1, "victim");
	return access(victim, X_OK) == 0;
}

static void read_all(int fd, char *text)
{
	size_t have = 0;
	ssize_t n;

	while (have < TEXT - 1 && (n = read(fd, text + have, TEXT - 1 - have)) > 0)
		have += (size_t)n;
	text[have] = '\0';
	close(fd);
}

static void become_victim(const struct row *row, int out, int err)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	dup2(out, 1);
	dup2(err, 2);
	alarm(30);
	if (row->options)
		setenv("KMALLOC_OPTIONS", row->options, 1);
	else
		unsetenv("KMALLOC_OPTIONS");
	execl(victim, "victim", row->name, (char *)NULL);
	_exit(127);
}

/* Both texts together are far below what two pipes hold, so they are read one by one. */
static bool run(const struct row *row, struct outcome *o)
{
	int out[2], err[2];

	if (pipe(out) || pipe(err))
		return false;
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (pid == 0)
		become_victim(row, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	read_all(out[0], o->out);
	read_all(err[0], o->err);
	return waitpid(pid, &o->status, 0) == pid;
}

/* Line number n (from 1) of text, into word. */
static void nth_line(const char *text, int n, char *word, size_t room)
{
	while (--n > 0 && text) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	size_t len = text ? strcspn(text, "\n") : 0;

	snprintf(word, room, "%.*s", (int)len, text ? text : "");
}

static void expand(const char *line, const char *addresses, char *pattern, size_t room)
{
	size_t n = 0;

	pattern[n++] = '^';
	for (; *line && n + 32 < room; line++) {
		if (*line == '@') {
			nth_line(addresses, *++line - '0', pattern + n, room - n);
			n += strlen(pattern + n);
		} else {
			pattern[n++] = *line;
		}
	}
	pattern[n++] = '$';
	pattern[n] = '\0';
}

static bool line_matches(const char *pattern, const char *line)
{
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
		return false;
	bool good = regexec(&re, line, 0, NULL, 0) == 0;

	regfree(&re);
	return good;
}

/* Exactly one line from the library, and it is the expected one. */
static const char *judge_text(const struct row *row, const struct outcome *o)
{
	char pattern[512], line[512];

	if (!row->line)
		return *o->err ? "it should have said nothing" : NULL;
	nth_line(o->err, 1, line, sizeof(line));
	expand(row->line, o->out, pattern, sizeof(pattern));
	if (!line_matches(pattern, line))
		return "the message is another one";
	nth_line(o->err, 2, line, sizeof(line));
	return *line ? "more than one line" : NULL;
}

static const char *judge_end(const struct row *row, const struct outcome *o)
{
	if (row->signal != LIVES)
		return WIFSIGNALED(o->status) && WTERMSIG(o->status) == row->signal ?
			NULL : "it should have died of SIGABRT";
	if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != 0)
		return "it should have gone on and exited with 0";
	return strstr(o->out, ALIVE) ? NULL : "it did not come to its end";
}

static bool report(int number, const struct row *row)
{
	static struct outcome o;
	const char *why = "cannot run the victim";

	if (run(row, &o)) {
		why = judge_end(row, &o);
		if (!why)
			why = judge_text(row, &o);
	}
	printf("%sok %d - %s%s%s\n", why ? "not " : "", number, row->name,
	       row->options ? ", " : "", row->options ? row->options : "");
	if (why)
		printf("# %s\n# wait status %#x, expected line:\n#   %s\n# said:\n#   %s\n", why,
		       (unsigned)o.status, row->line ? row->line : "(none)", o.err);
	fflush(stdout);
	return !why;
}

int main(void)
{
	const int count = (int)(sizeof(rows) / sizeof(rows[0]));
	int failed = 0;

	if (!find_victim()) {
		printf("Bail out! the victim is not beside the runner\n");
		return 99;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++)
		failed += !report(i + 1, &rows[i]);
	return failed != 0;
}
