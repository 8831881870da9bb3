/* SPDX-License-Identifier: MIT */
/*
 * Checks for the programs of this folder; TAP.
 */
#ifndef TESTS_SEED_H
#define TESTS_SEED_H

#include <stdio.h>

static int seed_checks, seed_failures;

static inline void check(int good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++seed_checks, what);
	seed_failures += !good;
}

static inline int done(void)
{
	printf("1..%d\n", seed_checks);
	return seed_failures != 0;
}

#endif
