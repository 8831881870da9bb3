#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Models of the gate and of the ways of magazines, checked by spin in all interleavings; and with
# each of the faults that they can be given, which must be found.

# shellcheck source=tests/tap.sh
. "${0%/*}/../tap.sh"

has spin || skip_all 'no spin (Debian: spin)'

# errors MODEL FLAG...: how many spin finds, in a folder of its own
errors()
{
	model=$1
	shift
	rm -rf "$scratch/pan" && mkdir "$scratch/pan"
	(
		cd "$scratch/pan" || exit
		spin "$@" -a "$KM_SRC/tests/model/$model.pml" &&
			"${KM_CC:-cc}" -O1 -w -DSAFETY -DMEMLIM=2048 -o pan pan.c && ./pan -m100000
	) > "$scratch/spin.log" 2>&1
	sed -n 's/.*errors: \([0-9]*\)$/\1/p' "$scratch/spin.log"
}

sound()
{
	if [ "$(errors "$1")" = 0 ] && ! grep -q 'search depth too small' "$scratch/spin.log"; then
		pass "$1: no interleaving breaks it ($(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' \
			"$scratch/spin.log") states)"
	else
		fail "$1: no interleaving breaks it" "$scratch/spin.log"
	fi
}

broken()
{
	found=$(errors "$1" "-D$2")
	if [ "${found:-0}" -gt 0 ]; then
		pass "$1 with $2: the fault is found"
	else
		fail "$1 with $2: the fault is found" "$scratch/spin.log"
	fi
}

sound gate
broken gate WEAK
broken gate NO_RECHECK
sound magazines
broken magazines PLAIN_STEAL
broken magazines NO_LOCK
done_testing
