#!/bin/sh
# SPDX-License-Identifier: MIT
# xz.sh: xz and zstd compress with several threads: few, large blocks.
# what: xz and zstd with threads: few allocations, large ones

prepare() {
	need xz xz-utils
	need zstd zstd
	awk -v n="$(count 150000)" 'BEGIN { srand(7); for (i = 0; i < n; i++)
		printf "%d %s %d\n", i, substr("abcdefghijklmnopqrstuvwxyz", 1 + int(rand() * 20)), int(rand() * 1e6) }' \
		>"$KB_DIR/expected"
}

run() {
	bench xz -1 -T"$KB_THREADS" --block-size=262144 -c expected >packed.xz
	bench xz -dc packed.xz >result
	same result expected
	bench zstd -q -9 -T"$KB_THREADS" -c expected >packed.zst
	bench zstd -q -dc packed.zst >result
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
