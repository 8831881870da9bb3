/* SPDX-License-Identifier: MIT */
/*
 * What the runner and its victim agree on. The victim prints, one a line on
 * standard output, the addresses its mistake is about ("@1", "@2", …), then
 * makes the mistake; if it is still alive it prints ALIVE and exits with 0.
 */
#ifndef TESTS_DEATH_H
#define TESTS_DEATH_H

#define ALIVE	"alive"

#endif /* TESTS_DEATH_H */
