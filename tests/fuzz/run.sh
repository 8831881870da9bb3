#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run.sh SECONDS: each harness on random inputs for so long, and, where clang has libFuzzer, as long
# again on inputs that coverage leads to, with AddressSanitizer and UndefinedBehaviorSanitizer where
# the process's malloc is not ours. New inputs are left in $FUZZ_CORPUS, build/fuzz by default.

set -eu

seconds=${1:-60}
: "${KM_SRC:?run me with make fuzz}" "${KM_BUILD:?}" "${KM_CFLAGS=}"
out=${FUZZ_CORPUS:-$KM_BUILD/fuzz}
clang=${CLANG:-clang}
status=0
mkdir -p "$out"

# build HARNESS SANITIZERS FILE...: the library's sources with coverage, and the harness.
build()
{
	harness=$1 sanitizers=$2
	shift 2
	# shellcheck disable=SC2086
	"$clang" $KM_CFLAGS -w -g -O1 -fsanitize="fuzzer$sanitizers" \
		-fno-sanitize-recover=undefined -include "$KM_BUILD/config.h" -I"$KM_SRC/src" \
		-I"$KM_SRC/include" -I"$KM_SRC/bench" "$@" "$KM_SRC/tests/fuzz/$harness.c" \
		"$KM_SRC/tests/fuzz/libfuzzer.c" -pthread -o "$out/$harness.fuzzer"
}

have_libfuzzer()
{
	echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n > 9; }' \
		> "$out/try.c"
	"$clang" -w -fsanitize=fuzzer,address "$out/try.c" -o "$out/try" > /dev/null 2>&1
}

core()
{
	find "$KM_SRC/src" -name '*.c' ! -path '*/src/malloc/*'
}

build_all()
{
	# shellcheck disable=SC2046
	for harness in cache zone options; do
		build $harness ,address,undefined $(core)
	done
	build trace ,address,undefined "$KM_SRC/bench/common/trace.c"
	# shellcheck disable=SC2046
	build malloc '' $(find "$KM_SRC/src" -name '*.c')
}

# run NAME COMMAND...: its last words on one line
run()
{
	name=$1
	shift
	if "$@" > "$out/$name.log" 2>&1; then
		printf '%s: %s\n' "$name" "$(grep -E 'operations|^Done' "$out/$name.log" | tr '\n' ' ')"
	else
		status=1
		echo "$name: FAILED, see $out/$name.log"
		tail -n 20 "$out/$name.log"
	fi
}

for harness in malloc cache zone options trace; do
	run "$harness" "$KM_BUILD/tests/fuzz/$harness" --seconds "$seconds"
done
if ! have_libfuzzer; then
	echo "no libFuzzer: $clang cannot build with -fsanitize=fuzzer"
	exit $status
fi
build_all
for harness in malloc cache zone options trace; do
	mkdir -p "$out/$harness"
	run "$harness-libfuzzer" "$out/$harness.fuzzer" -max_total_time="$seconds" -max_len=4096 \
		-artifact_prefix="$out/$harness-" -rss_limit_mb=4096 -print_final_stats=1 \
		"$out/$harness" "$KM_SRC/tests/fuzz/corpus/$harness"
done
exit $status
