#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The examples do what they say. Exit status 0 means that, as their last lines do in print.

# shellcheck source=tests/tap.sh
. "${0%/*}/../tests/tap.sh"

for name in constructor mempool lru realtime; do
	if timeout 60 "$KM_BUILD/examples/$name" > "$scratch/out" 2>&1; then
		pass "$name: $(tail -n 1 "$scratch/out")"
	else
		fail "$name" "$scratch/out"
	fi
done
# From outside, as a user would: 64 MiB of address space.
# shellcheck disable=SC3045 # dash and bash have it
if (ulimit -v 65536 && timeout 60 "$KM_BUILD/examples/mempool") > "$scratch/out" 2>&1; then
	pass 'mempool under ulimit -v'
else
	fail 'mempool under ulimit -v' "$scratch/out"
fi
done_testing
