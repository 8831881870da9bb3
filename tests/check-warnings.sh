#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library compiles without a warning, with gcc and with clang, whichever are there.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

compile_all()
{
	find "$KM_SRC/src" -name '*.c' | sort | while IFS= read -r file; do
		# shellcheck disable=SC2086
		"$@" $KM_CFLAGS $KM_WARN -O2 -g -fPIC -Werror -include "$KM_BUILD/config.h" \
			-I"$KM_SRC/src" -I"$KM_SRC/include" -c "$file" -o /dev/null 2>&1
	done > "$scratch/warnings"
	empty "$1 -Werror" "$scratch/warnings"
}

for compiler in gcc clang; do
	case $compiler in
	clang) options='-Wno-unknown-warning-option -Wno-ignored-optimization-argument' ;;
	*) options= ;;
	esac
	# shellcheck disable=SC2086
	if get $compiler $compiler; then
		compile_all $compiler $options
	else
		skip "$compiler -Werror" "no $compiler"
	fi
done
done_testing
