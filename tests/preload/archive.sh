#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tar with gzip, bzip2, xz and zstd, one thread and several: the archives are the same to the byte
# with and without the library, and what comes out is what went in.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

limit=20
need tar tar
need gzip gzip
need xz xz-utils
need bzip2 bzip2
need zstd zstd
for prog in tar gzip bzip2 xz zstd; do
	bound "$prog"
done

mkdir "$data/tree"
numbers 300000 77 >"$data/words"
(cd "$data/tree" && split -l 3000 "$data/words" words. && head -c 3000000 /dev/zero >zeros &&
	cut -d' ' -f1 "$data/words" | awk '{ printf "%c%c", $1 % 256, $1 / 256 }' >noise)

cat >"$data/trip" <<'END'
set -e
tar -C "$1" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf tree.tar .
$2 <tree.tar >packed
sha256sum packed
$3 <packed >unpacked
cmp tree.tar unpacked
mkdir out
tar -C out -xf unpacked
diff -r "$1" out
tar -tf tree.tar | tail -n 2
END
trip()
{
	same "$1" sh "$data/trip" "$data/tree" "$1" "$2"
}
trip "gzip -n -6" "gzip -d"
trip "xz -1 -T1" "xz -d"
trip "xz -2 -T4 --block-size=1MiB" "xz -d -T4"
trip "zstd -q -3" "zstd -q -d"
trip "zstd -q -9 -T4 -B1MiB --no-check" "zstd -q -d"
trip "zstd -q -6 --long=24 -T2" "zstd -q -d --long=24"
trip "bzip2 -5" "bzip2 -d"
same "tar starts xz" sh -c 'XZ_OPT="-1 -T2" tar --sort=name -C "$0" -cJf a.tar.xz . &&
	tar -tJf a.tar.xz | wc -l &&
	mkdir x && tar -C x -xJf a.tar.xz && diff -r "$0" x' "$data/tree"
same "damage is noticed" sh -c 'xz -1 <"$0" >a; printf x | dd of=a bs=1 seek=5000 conv=notrunc 2>&-
	xz -t a 2>&1; echo "$?"' "$data/words"
same "integrity tests of many files" sh -c 'cp "$0"/words.* . && zstd -q -T2 --rm words.* &&
	zstd -q -t ./*.zst && xz -1 -T2 ./*.zst && xz -t ./*.xz && ls | wc -l' "$data/tree"
done_testing
