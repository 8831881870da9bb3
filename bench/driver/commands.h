/* SPDX-License-Identifier: MIT */
/* commands.h: what the commands of kmalloc-bench do with the options. */
#ifndef KB_COMMANDS_H
#define KB_COMMANDS_H

#include "driver/analysis.h"
#include "driver/schedule.h"

struct request {
	struct plan plan;
	bool quick;
	const char *workloads, *allocators, *output;
	enum metric metric;
	double limit_mib;
	char **argv;		/* the command and its arguments */
	int argc;
	bool program_only;		/* "record -- PROGRAM": no file was named */
	const char *typed;	/* the whole command line, for the provenance */
};

void request_defaults(struct request *r);

/* Each returns the exit status of the program. */
int command_run(struct request *r);
int command_list(struct request *r);
int command_replay(struct request *r);
int command_report(struct request *r);
int command_compare(struct request *r);
int command_record(struct request *r);

#endif
