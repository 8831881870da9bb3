#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Counts the instructions of a malloc and the free that belongs to it, from the call to the return,
# with the jumps through the PLT, and of their counterparts of the kernel's interface. Slow paths are in it, spread over all the calls. Unlike times,
# these numbers are the same on a busy machine.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

count=600000

# Adds up the calls made by the function $1 in the profile $2: the line after each "calls=" holds
# what the call cost, all that it called included.
cost_of_calls()
{
	awk -v caller="$1" '
		/^fn=/ { mine = ($0 == "fn=" caller) }
		/^calls=/ { getline; if (mine) sum += $NF }
		END { print sum + 0 }' "$2"
}

measure()
{
	out=$scratch/$1.$2
	try "$1 of $2 bytes run under callgrind" env LD_PRELOAD="$KMALLOC_SO" \
		valgrind --tool=callgrind --skip-plt=no --compress-strings=no --compress-pos=no \
		--callgrind-out-file="$out" "$KM_BUILD/tests/insn" "$1" "$2" "$count"
	cost=$(cost_of_calls "$1" "$out")
	text="$1 of $2 bytes: $(awk -v c="$cost" -v n="$count" 'BEGIN { printf "%.1f", c / n }')"
	# The first calls of all cost more; spread over so many, that is less than a tenth of one.
	if [ "$cost" -gt 0 ] && [ $((10 * cost)) -le $(((10 * limit + 1) * count)) ]; then
		pass "$text instructions, at most $limit"
	else
		fail "$text instructions, more than $limit"
	fi
}

has valgrind || skip_all 'no valgrind'
[ -z "$KM_SANITIZER" ] || skip_all 'a build with a sanitizer'
grep -q '^#define KMALLOC_DEBUG' "$KM_BUILD/config.h" && skip_all 'a build with --enable-debug'
case $KMALLOC_SO in
*[[:space:]:]*) skip_all 'the path of the build cannot stand in LD_PRELOAD' ;;
esac
case $(uname -m) in
x86_64) ;;
*) skip_all 'the limit holds on x86-64' ;;
esac

limit=32
for size in 16 100 1000; do
	measure pairs $size
done
# What an object of a cache costs is no more; what is zeroed, no more than calloc.
for workload in cache constructed; do
	measure $workload 100
done
limit=37
measure sized 100
limit=35
for size in 16 100 256; do
	measure batches $size
done
# Magazines for larger objects have fewer rounds (32 of 1 000 bytes): their slow paths weigh more.
limit=42
measure batches 1000
limit=65
measure cleared 100
measure zeroed 100
limit=60
measure aligned 100
done_testing
