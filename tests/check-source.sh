#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The source keeps the project's own rules, and the library calls nothing that may allocate.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

# In the first three lines: a script's begins with #!.
without_licence()
{
	(cd "$KM_SRC" && find src include tests bench tools man bootstrap configure.ac Makefile.am \
		-type f \( -name '*.[chS]' -o -name '*.cpp' -o -name '*.def' -o -name '*.sh' \
		-o -name '*.inc' -o -name '*.in' -o -name '*.am' -o -name '*.ac' -o -name '*.map' \
		-o -name '*.py' -o -name '*.[1-9]' -o -name bootstrap \) \
		! -name Makefile.in ! -name '*.pc.in' -exec sh -c '
			for file; do
				head -n 3 "$file" | grep -q "SPDX-License-Identifier: MIT" ||
					echo "$file"
			done' sh {} +)
}

c_files()
{
	(cd "$KM_SRC" && find src include -name '*.[chS]' -type f -exec "$@" {} +)
}

too_long()
{
	c_files awk '
		function width(line,    n, i, part, columns) {
			n = split(line, part, "\t")
			for (i = 1; i < n; i++) {
				columns += length(part[i])
				columns += 8 - columns % 8
			}
			return columns + length(part[n])
		}
		width($0) > 100 { print FILENAME ":" FNR ": " width($0) " columns" }
		FNR == 501 { print FILENAME ": more than 500 lines" }'
}

# A function's body begins and ends with a brace in the first column.
long_functions()
{
	c_files awk '
		FNR == 1 { start = 0 }
		/^{/ { start = FNR }
		/^}$/ && start { if (FNR - start > 61) print FILENAME ":" start ": " FNR - start - 1 \
			" lines"; start = 0 }'
}

without_purpose()
{
	(cd "$KM_SRC" && find src -name '*.c' -type f -exec sh -c '
		for file; do
			head -n 2 "$file" | tail -n 1 | grep -q "^/\*" || echo "$file"
		done' sh {} +)
}

without_licence > "$scratch/licence"
empty 'every file names its licence' "$scratch/licence"
too_long > "$scratch/long"
empty 'at most 100 columns, at most 500 lines' "$scratch/long"
long_functions > "$scratch/functions"
empty 'no function longer than 60 lines' "$scratch/functions"
without_purpose > "$scratch/purpose"
empty 'every .c file opens with its purpose' "$scratch/purpose"
c_files grep -n '[[:space:]]$' > "$scratch/blanks"
empty 'no blanks at the end of a line' "$scratch/blanks"
# malloc_info() has to write to a FILE, and is the only one that does. Headers are for programs.
c_files grep -nE '#[[:space:]]*include[[:space:]]*<(stdio|dlfcn|execinfo)\.h>' |
	grep -v -e '^include/' -e '^src/malloc/extensions\.c:[0-9]*:#include <stdio\.h>' > "$scratch/stdio"
empty 'no stdio, no dlsym, no backtrace' "$scratch/stdio"

# What the library wants from others. Everything in the list is known not to call malloc.
grep -v '^#' "$KM_SRC/src/libkmalloc.imports" | sort -u > "$scratch/allowed"
"$NM" -D --undefined-only "$KMALLOC_SO" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort -u |
	comm -23 - "$scratch/allowed" > "$scratch/imports"
if [ -n "$KM_SANITIZER" ]; then
	skip 'calls only what is in libkmalloc.imports' 'a build with a sanitizer'
else
	empty 'calls only what is in libkmalloc.imports' "$scratch/imports"
fi

if has shellcheck; then
	(cd "$KM_SRC" && find bootstrap .ci/run tools tests bench -type f \
		\( -name '*.sh' -o -name bootstrap -o -name run -o -name kmalloc-run.in \) -exec \
		shellcheck -x -e SC1091 {} +) > "$scratch/shellcheck" 2>&1
	empty 'shellcheck' "$scratch/shellcheck"
else
	skip 'shellcheck' 'no shellcheck'
fi
done_testing
