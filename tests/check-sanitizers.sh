#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The engine under ThreadSanitizer, and under AddressSanitizer with UndefinedBehaviorSanitizer: all
# of it but the malloc family, since a sanitizer's malloc must stay the one of the process, is
# compiled anew and driven by tests/stress/tsan-heap.c, for KM_SANITIZER_SECONDS each.
#
# Nothing is suppressed. What ThreadSanitizer would report and this program cannot reach are the
# plain loads of slab_map_base and slab_map_granules in free() (mm/region.h says why they are).

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

seconds=${KM_SANITIZER_SECONDS:-10}

# build DIR FLAG...: compiles and links DIR/tsan-heap; what the compiler says goes to DIR.log.
build()
{
	build_dir=$scratch/$1
	shift
	mkdir "$build_dir"
	(
		cd "$build_dir" || exit
		find "$KM_SRC/src" -name '*.c' ! -path '*/src/malloc/*' -print > list
		# shellcheck disable=SC2086,SC2046
		$KM_CC $KM_CFLAGS -g -O1 -fno-omit-frame-pointer "$@" \
			-include "$KM_BUILD/config.h" -I"$KM_SRC/src" -I"$KM_SRC/include" \
			$(cat list) "$KM_SRC/tests/stress/tsan-heap.c" -o tsan-heap -pthread
	) > "$build_dir.log" 2>&1
}

# available FLAG...: can programs be built and started with it?
available()
{
	echo 'int main(void) { return 0; }' > "$scratch/empty.c"
	# shellcheck disable=SC2086
	$KM_CC $KM_CFLAGS "$@" "$scratch/empty.c" -o "$scratch/empty" > "$scratch/empty.log" 2>&1 &&
		"$scratch/empty" >> "$scratch/empty.log" 2>&1
}

# sanitize NAME DIR FLAG...
sanitize()
{
	name=$1 dir=$2
	shift 2
	if ! available "$@"; then
		skip "$name" "$KM_CC cannot build or start a program with $1"
	elif build "$dir" "$@"; then
		try "$name: $seconds seconds" "$scratch/$dir/tsan-heap" --seconds "$seconds"
	else
		fail "$name: compiles" "$scratch/$dir.log"
	fi
}

[ -z "$KM_SANITIZER" ] || skip_all "the whole tree is built with $KM_SANITIZER already"

# gcc says at compile time that it does not model fences; mm/zone_extent.c has the only ones.
if available -Wno-tsan; then
	no_tsan=-Wno-tsan
else
	no_tsan=
fi

TSAN_OPTIONS="halt_on_error=0 $TSAN_OPTIONS"
export TSAN_OPTIONS
# shellcheck disable=SC2086
sanitize 'ThreadSanitizer' tsan -fsanitize=thread $no_tsan
sanitize 'AddressSanitizer and UndefinedBehaviorSanitizer' asan \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
done_testing
