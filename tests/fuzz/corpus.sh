#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The corpora: inputs that libFuzzer found to reach something new, and those of faults that were
# mended. Each harness must play all of its own.

# shellcheck source=tests/tap.sh
. "${0%/*}/../tap.sh"

for harness in malloc cache zone options trace; do
	try "corpus of $harness" "$KM_BUILD/tests/fuzz/$harness" "$KM_SRC/tests/fuzz/corpus/$harness"/*
done
done_testing
