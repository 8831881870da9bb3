/* SPDX-License-Identifier: MIT */
/*
 * What the library says on standard error, and what it should have said.
 */
#ifndef TESTS_KAPI_REPORT_H
#define TESTS_KAPI_REPORT_H

#include "kapi.h"

#include <regex.h>

extern char report_text[1 << 16];

/* From here on it is collected; end_report has it in report_text. */
void begin_report(void);
void end_report(void);

/* Ends the report, which must match the extended regular expression. */
void expect(const char *pattern);

#endif
