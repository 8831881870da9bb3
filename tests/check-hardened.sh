#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Hardened mode under the tests of the default mode: the stress programs, for a short while each, and
# some of the real programs. What it detects is tested by death/runner.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

export KMALLOC_OPTIONS=hardened:1 STRESS_SECONDS=1

# passes NAME COMMAND...: a TAP test that runs to its end and in which nothing fails.
passes()
{
	name=$1
	shift
	"$@" > "$scratch/out" 2>&1
	status=$?
	if grep -q '^1\.\.0 # SKIP' "$scratch/out"; then
		skip "$name" "$(sed -n 's/^1\.\.0 # SKIP *//p' "$scratch/out")"
	elif [ "$status" -eq 0 ] && grep -q '^1\.\.' "$scratch/out" &&
		! grep -q '^not ok' "$scratch/out"; then
		pass "$name"
	else
		echo "exit status $status" >> "$scratch/out"
		fail "$name" "$scratch/out"
	fi
}

for program in aged crossfree enomem forksignal forkstorm lateexit mapfail mix reallocchain \
	seccomp spawn threadchurn ulimit; do
	passes "stress/$program" timeout 120 "$KM_BUILD/tests/stress/$program"
done
for program in python gcc git redis; do
	passes "preload/$program" timeout 300 sh "$KM_SRC/tests/preload/$program.sh"
done
done_testing
