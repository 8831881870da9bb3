#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kmalloc-bench end to end: one workload of each family, the results as JSON, the proof of binding,
# and allocators with faults that it must expose.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source=tests/tap.sh
. "${0%/*}/../tap.sh"

bench=$KM_BUILD/bench/kmalloc-bench
bad=$KM_BUILD/tests/bench/badmalloc.so
unbound=$KM_BUILD/tests/bench/unbound.so
[ -x "$bench" ] || skip_all 'kmalloc-bench was not built (no jansson)'
[ -z "$KM_SANITIZER" ] || skip_all 'a build with a sanitizer'
unset LD_PRELOAD KMALLOC_OPTIONS

# run DIR ARGUMENTS...: a small run; its exit status says whether a cell failed.
run()
{
	dir=$scratch/$1
	shift
	timeout 300 "$bench" run --scale 0.02 --rounds 2 --idle 1.3 --threads 2 --output "$dir" \
		"$@" > "$scratch/out" 2> "$scratch/err"
}

# cell DIR WORKLOAD ALLOCATOR COLUMN: a field of the CSV by the name of its column.
cell()
{
	awk -F , -v w="\"$2\"" -v a="\"$3\"" -v c="$4" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == c) column = i; next }
		$1 == w && $5 == a { print $column }' "$scratch/$1/results.csv"
}

# is NAME GOT WANTED
is()
{
	printf '%s, not %s\n' "$2" "$3" > "$scratch/is"
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "$scratch/is"; fi
}

try 'list' sh -c '"$1" list | grep -q "^  larson "' sh "$bench"
try '--help' sh -c '"$1" --help | grep -q "compare OLD NEW"' sh "$bench"

workloads=pair,larson,idle-some,calloc,perl,trace-cc1plus
if run good --workload "$workloads" --allocator "libkmalloc=$KMALLOC_SO"; then
	pass 'one workload of each family'
else
	cat "$scratch/err" >> "$scratch/out"
	fail 'one workload of each family' "$scratch/out"
fi
for w in pair larson calloc trace-cc1plus; do
	is "$w ran on libkmalloc" "$(cell good "$w" libkmalloc outcome)" ok
done
case $(cell good perl libkmalloc outcome) in
ok)
	pass 'perl ran on libkmalloc'
	;;
skipped)
	skip 'perl ran on libkmalloc' 'no perl'
	;;
*)
	fail 'perl ran on libkmalloc' "$scratch/out"
	;;
esac
json=$scratch/good/results.json
for field in cpu kernel huge_pages overcommit processors compiler command build_id; do
	try "the JSON names $field" grep -q "\"$field\": [^n]" "$json"
done
try 'the JSON has the memory time line' grep -q '"points"' "$json"
try 'the JSON has latencies' grep -q '"buckets"' "$json"
try 'the Markdown has both tables' sh -c 'grep -c "geometric mean" "$1" | grep -qx 2' \
	sh "$scratch/good/results.md"
try 'the page is whole' sh -c 'tail -n 1 "$1" | grep -q "</html>"' sh "$scratch/good/report.html"
try 'the page fetches nothing' sh -c '! grep -qE "(src|href)=.?http|@import|<script" "$1"' \
	sh "$scratch/good/report.html"
if has gnuplot; then
	for plot in 'micro: time an operation' 'program: peak resident memory' trace-cc1plus \
		'pair, malloc'
	do
		try "a plot: $plot" grep -q "<h3>$plot</h3><figure[^>]*><svg" \
			"$scratch/good/report.html"
	done
else
	skip 'plots' 'no gnuplot'
fi
try 'a report can be made again' "$bench" report "$scratch/good"
try 'nothing changed between a result and itself' "$bench" compare "$scratch/good" "$scratch/good"

# The faults. The exit status must say that a cell failed.
if run bad --no-memory --no-latency --timeout 5 --workload batch-random,live30k-aged \
	--allocator "crash=$bad@BAD=crash,wrong=$bad@BAD=wrong,hang=$bad@BAD=hang,unbound=$unbound"
then
	fail 'faults show in the exit status' "$scratch/out"
else
	pass 'faults show in the exit status'
fi
is 'a crash' "$(cell bad batch-random crash outcome)" crash
is 'a wrong result' "$(cell bad batch-random wrong outcome)" 'wrong result'
is 'a hang' "$(cell bad batch-random hang outcome)" timeout
is 'a library that is not bound' "$(cell bad batch-random unbound outcome)" 'not bound'
is 'a failure has no time' "$(cell bad batch-random crash time)" ''
try 'the table names them' grep -q 'batch-random, wrong: wrong result: block' "$scratch/out"

run odd --no-latency --workload batch-random,threads-rss --allocator "slow=$bad@BAD=slow,leak=$bad@BAD=leak"
# more NAME VALUE LIMIT
more()
{
	echo "$2 is not above $3" > "$scratch/more"
	if awk -v v="$2" -v l="$3" 'BEGIN { exit !(v > l) }'; then
		pass "$1"
	else
		fail "$1" "$scratch/more"
	fi
}
more 'a slow allocator is slow' "$(cell odd batch-random slow time_ratio)" 10
more 'a leak shows in the peak' "$(cell odd batch-random leak peak_ratio)" 2
more 'a leak shows in what threads leave' "$(cell odd threads-rss leak time_ratio)" 2

# Recording and replaying.
if "$bench" record "$scratch/t.kmt" --limit 4 -- sh -c 'echo recorded' > "$scratch/out" 2>&1; then
	pass 'record'
else
	fail 'record' "$scratch/out"
fi
try 'record without a name' sh -c 'cd "$1" && "$2" record -- sh -c : && test -s sh.kmt' sh "$scratch" "$bench"
is 'the program runs as before' "$(grep -c '^recorded$' "$scratch/out")" 1
try 'replay' "$bench" replay "$scratch/t.kmt" --rounds 1 --idle 0 --allocator "libkmalloc=$KMALLOC_SO"
echo 'no trace' > "$scratch/damaged.kmt"
try 'a damaged trace is refused' sh -c '! "$1" replay "$2" --rounds 1 --no-memory' sh "$bench" \
	"$scratch/damaged.kmt"
done_testing
