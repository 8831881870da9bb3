/* SPDX-License-Identifier: MIT */
/*
 * provenance.c: where and how results came to be: machine, kernel, the settings that change what
 * an allocator costs, compiler, command line. Without them a number is an anecdote; the reader of
 * a report must be able to see, for instance, that huge pages were always on.
 */
#include "driver/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "driver/util.h"

static void put(json_t *o, const char *key, char *text)
{
	json_object_set_new(o, key, text ? json_string(text) : json_null());
	free(text);
}

/* The value of the first "key : value" line that starts with key. */
static char *line_value(const char *path, const char *key)
{
	char *text = read_text(path), *hit = text ? strstr(text, key) : NULL, *end;

	hit = hit ? strchr(hit, ':') : NULL;
	if (hit) {
		hit += 1 + strspn(hit + 1, " \t\"");
		end = strpbrk(hit, "\n");
		if (end)
			*end = 0;
		hit = xstrdup(hit);
	}
	free(text);
	return hit;
}

static char *system_name(void)
{
	char *text = read_text("/etc/os-release"), *hit, *end;

	hit = text ? strstr(text, "PRETTY_NAME=\"") : NULL;
	end = hit ? strchr(hit + 13, '"') : NULL;
	hit = end ? strndup(hit + 13, (size_t)(end - hit - 13)) : NULL;
	free(text);
	return hit;
}

static char *cpu_name(void)
{
	char *name = line_value("/proc/cpuinfo", "model name");

	return name ? name : line_value("/proc/cpuinfo", "CPU part");
}

static bool under_hypervisor(void)
{
	char *text = read_text("/proc/cpuinfo");
	bool yes = text && strstr(text, " hypervisor");

	free(text);
	return yes;
}

/* The word in brackets of "always [madvise] never". */
static char *chosen(const char *path)
{
	char *text = read_text(path), *from = text ? strchr(text, '[') : NULL;
	char *to = from ? strchr(from, ']') : NULL;
	char *word = to ? strndup(from + 1, (size_t)(to - from - 1)) : NULL;

	free(text);
	return word;
}

static char *timestamp(void)
{
	char text[64];
	time_t now = time(NULL);

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	return xstrdup(text);
}

char *provenance_command(int argc, char **argv)
{
	char *line = xstrdup("kmalloc-bench"), *longer;

	for (int i = 1; i < argc; i++) {
		longer = xprintf("%s %s", line, argv[i]);
		free(line);
		line = longer;
	}
	return line;
}

static void put_machine(json_t *o)
{
	struct utsname u;

	uname(&u);
	put(o, "system", system_name());
	put(o, "kernel", xprintf("%s %s %s", u.sysname, u.release, u.machine));
	put(o, "cpu", cpu_name());
	json_object_set_new(o, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(o, "virtual", json_boolean(under_hypervisor()));
	put(o, "memory", line_value("/proc/meminfo", "MemTotal"));
	put(o, "huge_pages", chosen("/sys/kernel/mm/transparent_hugepage/enabled"));
	put(o, "overcommit", read_text("/proc/sys/vm/overcommit_memory"));
	put(o, "governor",
	    read_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
	put(o, "load", read_text("/proc/loadavg"));
	json_object_set_new(o, "page_size", json_integer(sysconf(_SC_PAGESIZE)));
}

json_t *provenance_take(const struct plan *plan, const char *command)
{
	json_t *o = json_object();

	put(o, "time", timestamp());
	put(o, "command", xstrdup(command));
	put(o, "version", xstrdup(PACKAGE_VERSION));
	put(o, "compiler", xstrdup(__VERSION__));
	put_machine(o);
	json_object_set_new(o, "scale", json_real(plan->scale));
	json_object_set_new(o, "rounds", json_integer(plan->rounds));
	json_object_set_new(o, "seed", json_integer((json_int_t)plan->seed));
	return o;
}
