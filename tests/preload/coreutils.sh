#!/bin/sh
# SPDX-License-Identifier: MIT
#
# coreutils, awk, sed, grep, find: sorting with threads and temporary files, joins, pipelines.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for prog in sort uniq join awk sed grep find xargs sha256sum; do
	bound "$prog"
done

numbers 200000 42 >"$data/a"
numbers 50000 4711 >"$data/b"
mkdir "$data/tree"
(cd "$data/tree" && split -a 3 -l 500 "$data/a")

same "sort in memory, four threads" sort --parallel=4 -k2,2 -k1n "$data/a"
same "sort with temporary files" sort -S 1M --parallel=2 --batch-size=4 -T . -k3 -k1nr "$data/a"
same "sort -u -c of what was sorted" sh -c 'sort -u "$0" | tee out | wc; sort -u -c out' "$data/a"
same "uniq -c, head, tail" sh -c 'cut -d" " -f2 "$0" | sort | uniq -c | sort -k1nr -k2 |
	sed -n "1,20p;\$p" | tac' "$data/a"
same "join and comm" sh -c 'sort -k2,2 -u "$0" >x; sort -k2,2 -u "$1" >y
	join -1 2 -2 2 x y | md5sum; cut -d" " -f3 x | sort >p; cut -d" " -f3 y | sort >q
	comm -3 p q | wc -l' "$data/a" "$data/b"
same "awk arrays" awk '{ n[$2]++; s[$2] = s[$2] substr($3, 1, 3); t += $1 }
	END { for (k in n) print k, n[k], length(s[k]) | "sort"; close("sort"); print t }' "$data/a"
same "sed with hold space and long lines" sh -c '
	sed -n "H;\${x;s/\n/,/g;s/w\([0-9a-f]*\)/<\1>/g;p}" "$0" |
	tee out | sha256sum; wc -c out' "$data/b"
same "grep with back references" sh -c 'grep -nE "([a-z])([0-9])\2" "$0" | sha256sum
	grep -cvF -f - "$0" <<-E
	w1f
	w2a
	wxyz
	E
	grep -ob "abc" "$0" | tail -n 3' "$data/a"
same "find, xargs in parallel, digests" sh -c 'find "$0" -type f -printf "%f\n" | sort |
	(cd "$0" && xargs -n 20 -P 4 sha256sum) | sort' "$data/tree"
same "cp, du, ls, rm of a tree" sh -c 'cp -a "$0" t; ls t | wc -l; du -b --max-depth=0 t; ls -lS t |
	awk "NR > 1 { print \$5, \$9 }" | tail -n 5; diff -r "$0" t; rm -r t; ls' "$data/tree"
same "shuf, tsort, factor, od, fmt, paste, expand" sh -c 'cd "$1"; seq 1 20000 |
	shuf --random-source="$0" | md5sum
	awk "{ print \$2, \$2 \"z\" }" "$0" | sort -u | tsort | md5sum
	seq 100000000000 100000000050 | factor; od -tx8 "$0" | tail -n 2
	fmt -w 60 "$0" | md5sum; paste -s -d, "$0" | expand -t 3 | md5sum' "$data/a" "$data"
same "dates and locales" sh -c 'for t in 0 86400 1000000000; do
	date -d "@$t" "+%A %d %B %Y %T"; done; printf "%s\n" b A a B | LC_ALL=C.UTF-8 sort'
done_testing
