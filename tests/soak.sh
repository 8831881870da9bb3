#!/bin/sh
# SPDX-License-Identifier: MIT
#
# soak.sh HOURS, by way of make soak HOURS=n. Two things at once for so long:
#
#	the engine in one process (stress/tsan-heap), whose walkers look at all structures after each
#	round and whose resident memory must not drift;
#	the stress programs, fuzzing harnesses and the injector of failing system calls, picked at
#	random with random seeds, on the interposing library, one after another.
#
# Says at the end what was run how often, and every failure with the command that repeats it.

set -u

hours=${1:-1}
: "${KM_BUILD:?run me with make soak}"
out=${SOAK_LOG:-$KM_BUILD/soak}
mkdir -p "$out"
: > "$out/runs"
: > "$out/failures"

programs='
stress/aged stress/crossfree stress/enomem stress/forksignal stress/forkstorm stress/lateexit
stress/looking stress/mapfail stress/mix stress/plugins stress/reallocchain stress/seccomp
stress/spawn stress/threadchurn stress/ulimit fuzz/malloc fuzz/cache fuzz/zone torture/inject'

# rng N: a number below N; $RANDOM is not POSIX
rng()
{
	od -An -N4 -tu4 /dev/urandom | awk -v n="$1" '{ print $1 % n }'
}

pick()
{
	# shellcheck disable=SC2086
	set -- $programs
	shift "$(rng $#)"
	echo "$1"
}

run_one()
{
	seed=$(rng 1000000000) seconds=$((2 + $(rng 10)))
	set -- "$KM_BUILD/tests/$1" --seconds "$seconds" --seed "$seed"
	STRESS_SECONDS=$seconds STRESS_SEED=$seed timeout -k 10 900 "$@" > "$out/last" 2>&1
	status=$?
	echo "${1##*/tests/}" >> "$out/runs"
	[ $status -eq 0 ] && return
	{
		echo "exit status $status: $*"
		grep -v '^ok' "$out/last" | tail -n 20 | sed 's/^/  /'
	} >> "$out/failures"
}

date '+start %F %T' > "$out/times"
"$KM_BUILD/tests/stress/tsan-heap" --hours "$hours" --seconds 20 > "$out/engine" 2>&1 &
engine=$!
trap 'kill $engine 2>/dev/null' EXIT
while kill -0 $engine 2>/dev/null; do
	run_one "$(pick)"
done
wait $engine
status=$?
date '+end %F %T' >> "$out/times"
cat "$out/times"
echo "engine: exit status $status, $(grep -c '# round' "$out/engine") rounds, resident after" \
	"the first and the last: $(sed -n 's/^# round.*: \(.*\) resident/\1/p' "$out/engine" |
		sed -n '1p;$p' | tr '\n' ' ')"
echo "programs: $(wc -l < "$out/runs") runs:" \
	"$(sort "$out/runs" | uniq -c | awk '{ printf "%s %s, ", $2, $1 }')"
if [ -s "$out/failures" ]; then
	cat "$out/failures"
	exit 1
fi
[ $status -eq 0 ] || tail -n 5 "$out/engine"
exit $status
