/* SPDX-License-Identifier: MIT */
/*
 * Prints the table of options, one "name|range|default" a line, for check-man.sh to compare with
 * the manual page.
 */
#include <stdio.h>

#include "os/options.h"

int main(void)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		printf("%s|%s|%s\n", option->name, option_range(option).text,
		       option_format(option, option->standard).text);
	}
	return 0;
}
