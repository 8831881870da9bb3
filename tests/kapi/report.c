/* SPDX-License-Identifier: MIT */
/*
 * Standard error in a file.  And a flavour of RCU in which nobody ever reads, so that caches may be
 * type-safe here without liburcu.
 */
#include "report.h"

#include <sys/mman.h>

char report_text[1 << 16];

static int collected = -1, old_stderr;

void begin_report(void)
{
	if (collected >= 0)
		end_report();
	collected = memfd_create("report", 0);
	old_stderr = dup(2);
	cr_assert(collected >= 0 && old_stderr >= 0);
	dup2(collected, 2);
}

void end_report(void)
{
	ssize_t n;

	if (collected < 0)
		return;
	dup2(old_stderr, 2);
	close(old_stderr);
	n = pread(collected, report_text, sizeof(report_text) - 1, 0);
	report_text[n < 0 ? 0 : n] = '\0';
	close(collected);
	collected = -1;
}

void expect(const char *pattern)
{
	regex_t re;

	end_report();
	cr_assert_eq(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0, "%s", pattern);
	cr_assert_eq(regexec(&re, report_text, 0, NULL, 0), 0, "%s\nis not\n%s", report_text, pattern);
	regfree(&re);
}

struct head {
	struct head *next;
	void (*fn)(struct head *head);
};

void urcu_memb_call_rcu(struct head *head, void (*fn)(struct head *head));
void urcu_memb_barrier(void);
void urcu_memb_synchronize_rcu(void);
void *urcu_memb_get_default_call_rcu_data(void);

static struct head *waiting;

void urcu_memb_call_rcu(struct head *head, void (*fn)(struct head *head))
{
	head->fn = fn;
	head->next = waiting;
	waiting = head;
}

void urcu_memb_barrier(void)
{
	while (waiting) {
		struct head *head = waiting;

		waiting = head->next;
		head->fn(head);
	}
}

void urcu_memb_synchronize_rcu(void)
{
}

void *urcu_memb_get_default_call_rcu_data(void)
{
	return NULL;
}
