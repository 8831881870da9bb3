/* SPDX-License-Identifier: MIT */
/* html.h: the report of a set as one self-contained page. */
#ifndef KB_HTML_H
#define KB_HTML_H

#include <stdio.h>

#include "driver/model.h"

void html_write(FILE *out, const struct set *set);

#endif
