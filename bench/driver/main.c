/* SPDX-License-Identifier: MIT */
/*
 * main.c of kmalloc-bench: commands and options.
 *
 * The parts: catalog (which workloads), allocators (which allocators), schedule and child (the
 * runs), analysis and stats (the figures), store (JSON), and terminal, csv, html, compare (what
 * people see). See kmalloc-bench(1).
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "driver/commands.h"
#include "driver/provenance.h"
#include "driver/util.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

const char *argp_program_version = "kmalloc-bench " PACKAGE_VERSION;

enum {
	OPT_QUICK = 256, OPT_IDLE, OPT_INSTRUCTIONS, OPT_NO_MEMORY, OPT_NO_LATENCY, OPT_SCALE,
	OPT_TIMEOUT, OPT_SEED, OPT_METRIC, OPT_LIMIT,
};

static const struct argp_option options[] = {
	{ "quick", OPT_QUICK, NULL, 0, "An answer within about a minute", 1 },
	{ "workload", 'w', "NAME,…", 0, "These workloads or families only", 1 },
	{ "allocator", 'a', "NAME,…", 0,
	  "These allocators: a known name, NAME=/path.so, or NAME=/path.so@ENV=VALUE; "
	  "\"all\" stands for those found here", 1 },
	{ "rounds", 'n', "N", 0, "Counted rounds (5; one more goes before as warm-up)", 1 },
	{ "threads", 't', "N,…", 0, "Threads of the multi-threaded workloads (processors)", 1 },
	{ "output", 'o', "DIR", 0, "Write results.json, .csv and .md and report.html there", 1 },
	{ "scale", OPT_SCALE, "X", 0, "Amount of work a run (0.5)", 2 },
	{ "timeout", OPT_TIMEOUT, "S", 0, "Seconds that a run may take (120)", 2 },
	{ "idle", OPT_IDLE, "S", 0, "Seconds of idling in the memory pass (10.5)", 2 },
	{ "no-memory", OPT_NO_MEMORY, NULL, 0, "Skip the memory pass", 2 },
	{ "no-latency", OPT_NO_LATENCY, NULL, 0, "Skip the latency pass", 2 },
	{ "instructions", OPT_INSTRUCTIONS, NULL, 0,
	  "Count instructions an operation under callgrind", 2 },
	{ "seed", OPT_SEED, "N", 0, "Seed of workloads and shuffling (1)", 2 },
	{ "metric", OPT_METRIC, "NAME", 0, "Also print a table of: cpu, wall, faults", 2 },
	{ "limit", OPT_LIMIT, "MIB", 0, "record: largest size of the trace file (64)", 2 },
	{ 0 },
};

static const char doc[] =
	"Compares memory allocators: libkmalloc with the C library's malloc and every other one "
	"found on this machine.\v"
	"Commands:\n"
	"  run               run workloads (the default)\n"
	"  list              show workloads and allocators\n"
	"  compare OLD NEW   what changed between two results beyond noise\n"
	"  report DIR        write CSV and HTML again from DIR/results.json\n"
	"  record [FILE] -- PROGRAM…   write the allocation calls of a program to FILE\n"
	"  replay TRACE      run a trace under every allocator\n";

static void parse_threads(struct plan *plan, char *text)
{
	char *item;

	plan->thread_counts = 0;
	while ((item = strsep(&text, ",")) && plan->thread_counts < MAX_THREAD_COUNTS) {
		plan->threads[plan->thread_counts] = (unsigned)strtoul(item, NULL, 10);
		if (plan->threads[plan->thread_counts++] == 0)
			fatal("'%s' is no number of threads", item);
	}
}

static enum metric parse_metric(const char *name)
{
	for (int i = 0; i < N_METRICS; i++)
		if (!strcmp(name, metric_name[i]))
			return (enum metric)i;
	fatal("no metric '%s'", name);
}

static double positive(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || v < 0)
		fatal("'%s' is no positive number", text);
	return v;
}

static error_t parse_plan(int key, char *arg, struct plan *plan)
{
	switch (key) {
	case 'n': plan->rounds = (unsigned)positive(arg); break;
	case 't': parse_threads(plan, arg); break;
	case OPT_SCALE: plan->scale = positive(arg); break;
	case OPT_TIMEOUT: plan->timeout = positive(arg); break;
	case OPT_IDLE: plan->idle = positive(arg); break;
	case OPT_NO_MEMORY: plan->memory = false; break;
	case OPT_NO_LATENCY: plan->latency = false; break;
	case OPT_INSTRUCTIONS: plan->instructions = true; break;
	case OPT_SEED: plan->seed = strtoul(arg, NULL, 10); break;
	default: return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case OPT_QUICK: r->quick = true; break;
	case 'w': r->workloads = arg; break;
	case 'a': r->allocators = arg; break;
	case 'o': r->output = arg; break;
	case OPT_METRIC: r->metric = parse_metric(arg); break;
	case OPT_LIMIT: r->limit_mib = positive(arg); break;
	case ARGP_KEY_ARGS:
		r->argv = state->argv + state->next;
		r->argc = state->argc - state->next;
		break;
	default: return parse_plan(key, arg, &r->plan);
	}
	return 0;
}

static const struct argp argp = { options, parse, "[COMMAND [ARGUMENT…]]", doc, NULL, NULL, NULL };

static const struct command {
	const char *name;
	int (*fn)(struct request *r);
} commands[] = {
	{ "run", command_run },
	{ "list", command_list },
	{ "compare", command_compare },
	{ "report", command_report },
	{ "record", command_record },
	{ "replay", command_replay },
};

/* The parser drops the "--" and with it what stood before it. */
static bool no_file_named(char **argv)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, "record"))
			return argv[1] && !strcmp(argv[1], "--");
	return false;
}

int main(int argc, char **argv)
{
	struct request r = { .metric = METRIC_TIME, .limit_mib = 64 };
	const char *name;

	request_defaults(&r);
	r.typed = provenance_command(argc, argv);
	r.program_only = no_file_named(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &r);
	name = r.argc ? r.argv[0] : "run";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].fn(&r);
	fatal("no command '%s'; see --help", name);
}
