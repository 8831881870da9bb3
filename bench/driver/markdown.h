/* SPDX-License-Identifier: MIT */
/* markdown.h: the figures of a set as Markdown, for RESULTS.md and the README. */
#ifndef KB_MARKDOWN_H
#define KB_MARKDOWN_H

#include <stdio.h>

#include "driver/model.h"

void markdown_write(FILE *out, const struct set *set);

#endif
