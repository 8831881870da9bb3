# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Shared by the preload tests: run real programs on libkmalloc and compare with the same run on the
# C library's own malloc. By hand: KMALLOC_SO=/path/of/libkmalloc.so.0 tests/preload/git.sh
#
#	KMALLOC_SO              the library under test, absolute path (required)
#	KMALLOC_OPTIONS         reaches the programs under test
#	KMALLOC_TEST_INSTALL    "no" keeps the tests from installing missing programs
#
# Only the program under test (and what it starts) gets the library, never the test's own shell.
# A test runs in $work, an empty folder that is made anew for each run; $data is for input that the
# test makes, $log for what the runs printed. All are in $scratch and go away when the test ends.

set -u
unset LD_PRELOAD LD_DEBUG LD_BIND_NOW LD_LIBRARY_PATH MAKEFLAGS MAKELEVEL MFLAGS
export TZ=UTC

case ${KMALLOC_SO:-} in
/*) ;;
*)
	echo "Bail out! KMALLOC_SO must be the absolute path of libkmalloc.so.0"
	exit 99
	;;
esac
if ! [ -r "$KMALLOC_SO" ]; then
	echo "Bail out! cannot read $KMALLOC_SO"
	exit 99
fi
: "${KM_SRC:=$(cd "$(dirname "$0")/../.." && pwd)}" "${KM_BUILD:=$KM_SRC}"

# shellcheck source-path=SCRIPTDIR source=../tap.sh
. "$(dirname "$0")/../tap.sh"

[ -z "${KM_SANITIZER:-}" ] || skip_all "a sanitizer's library cannot be preloaded"

data=$scratch/data work=$scratch/work log=$scratch/log
mkdir "$data" "$work" "$log"
export HOME="$scratch"
pids=
limit=40	# seconds that one command may take

# A member that glibc itself serves would be a second heap in the same process.
family='malloc|calloc|realloc|reallocarray|free|cfree|memalign|aligned_alloc|posix_memalign'
family="$family|valloc|pvalloc|malloc_usable_size"
family="$family|mallopt|malloc_trim|malloc_stats|malloc_info|mallinfo|mallinfo2"

stop_all()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	pids=
}

cleanup()
{
	stop_all
	cd / && rm -rf "$scratch"
}
trap cleanup EXIT

# excerpt FILE...: the end of each, for the reason of a failure
excerpt()
{
	for file; do
		[ -s "$file" ] || continue
		echo "${file##*/}:"
		tail -n 15 "$file" | cut -c 1-200 | sed 's/^/  /'
	done
}

# ----- packages -------------------------------------------------------------------------------

# Replaces tap.sh's: the services of the new packages must not start, and there is a time limit.
# One at a time, because tests that run in parallel share the policy file.
tap_apt()
{
	(
		flock -w 300 9 || exit
		policy=/usr/sbin/policy-rc.d
		if ! [ -e "$policy" ]; then
			trap 'rm -f "$policy"' EXIT
			printf '#!/bin/sh\nexit 101\n' >"$policy"
			chmod 755 "$policy"
		fi
		DEBIAN_FRONTEND=noninteractive timeout -k 5 240 apt-get -q -y \
			-o DPkg::Lock::Timeout=120 install --no-install-recommends "$@"
	) 9>"${TMPDIR:-/tmp}/libkmalloc-apt.lock"
}

# need PROGRAM PACKAGE...: have PROGRAM, installed from Debian's PACKAGEs if need be; else skip
need()
{
	get "$@" && return
	program=$1
	shift
	skip_all "no $program (Debian: $*)"
}

# ----- runs -----------------------------------------------------------------------------------

# plain COMMAND...: run it on the C library's malloc
plain()
{
	timeout -k 5 "$limit" "$@"
}

# kmalloc COMMAND...: run it on the library under test
kmalloc()
{
	timeout -k 5 "$limit" env LD_PRELOAD="$KMALLOC_SO" "$@"
}

# in_work RUNNER COMMAND...: from an empty $work
in_work()
{
	rm -rf "$work"
	mkdir "$work"
	(cd "$work" && "$@" </dev/null)
}

# quiet FILE...: neither the library nor the dynamic linker complained in what a program printed
quiet()
{
	! grep -hE 'libkmalloc: |ERROR: ld\.so: object' "$@"
}

# same NAME COMMAND...: exits 0 and prints the same with and without the library
same()
{
	name=$1
	shift
	in_work plain "$@" >"$log/want" 2>"$log/want.err"
	status=$?
	if [ $status != 0 ] || ! [ -s "$log/want" ]; then
		{
			echo "without the library: exit status $status"
			excerpt "$log/want" "$log/want.err"
		} >"$log/why"
		fail "$name" "$log/why"
		return
	fi
	in_work kmalloc "$@" >"$log/got" 2>"$log/got.err"
	status=$?
	if [ $status = 0 ] && cmp -s "$log/want" "$log/got" && quiet "$log/got.err" >/dev/null; then
		pass "$name"
		return
	fi
	diff "$log/want" "$log/got" >"$log/diff"
	{
		echo "with the library: exit status $status"
		excerpt "$log/diff" "$log/got.err"
	} >"$log/why"
	fail "$name" "$log/why"
}

# passes NAME COMMAND...: exits 0 with the library; skipped where it does not even without
passes()
{
	name=$1
	shift
	in_work kmalloc "$@" >"$log/got" 2>&1
	status=$?
	if [ $status = 0 ] && quiet "$log/got" >"$log/why"; then
		pass "$name"
	elif [ $status != 0 ] && ! in_work plain "$@" >"$log/want" 2>&1; then
		excerpt "$log/want" | sed 's/^/# /'
		skip "$name" "it fails here without the library, too"
	else
		{
			echo "with the library: exit status $status"
			excerpt "$log/got"
		} >>"$log/why"
		fail "$name" "$log/why"
	fi
}

# start NAME COMMAND...: a server on the library, in the background; its process id in $pid, what
# it prints in $log/NAME
start()
{
	name=$1
	shift
	rm -f "$scratch/$name.pid"
	# shellcheck disable=SC2016 # for the inner shell, which becomes the server
	timeout -k 5 "$limit" \
		sh -c 'echo $$ >"$0"; so=$1; shift; exec env LD_PRELOAD="$so" "$@"' \
		"$scratch/$name.pid" "$KMALLOC_SO" "$@" >"$log/$name" 2>&1 </dev/null &
	pids="$pids $!"
	until_ok 5 test -s "$scratch/$name.pid"
	pid=$(cat "$scratch/$name.pid")
}

# until_ok SECONDS COMMAND...: try COMMAND until it succeeds
until_ok()
{
	tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# gone PID: the process has ended
gone()
{
	! kill -0 "$1" 2>/dev/null
}

# absent PATTERN FILE...: no line matches; those that do are shown
absent()
{
	! grep -E -- "$@"
}

# equal FILE FILE: the same, and not for want of anything
equal()
{
	test -s "$1" && cmp "$1" "$2"
}

# ----- proof ----------------------------------------------------------------------------------

# bindings ENV... FILE: "user provider symbol" for each reference to the family that the dynamic
# linker resolves for FILE, which is not run (this is what ldd -r does)
bindings()
{
	bound_to='.*binding file \(.*\) \[0\] to \(.*\) \[0\]: normal symbol `\([^'\'']*\).*'
	env LD_TRACE_LOADED_OBJECTS=1 LD_WARN=yes LD_BIND_NOW=yes LD_DEBUG=bindings "$@" 2>&1 |
		sed -n "s/$bound_to/\\1 \\2 \\3/p" | grep -E " ($family)\$"
}

# all_bound ENV... FILE: malloc and free are among them, and every one is the library's. A program
# that takes the address of free may itself stand in for it, with a PLT entry that leads to free.
all_bound()
{
	bindings "$@" >"$log/bindings"
	awk -v so="$KMALLOC_SO" '
		$2 == so { n[$3]++; direct[$1, $3]; next }
		{ via[$0] = $2 SUBSEP $3 }
		END {
			for (line in via)
				if (!(via[line] in direct)) {
					print "not ours: " line
					bad = 1
				}
			if (!n["malloc"] || !n["free"])
				print "malloc or free is not bound"
			exit bad || !n["malloc"] || !n["free"]
		}' "$log/bindings"
}

# bound PROGRAM: prove that PROGRAM, run by kmalloc(), really uses the library
bound()
{
	file=$(command -v "$1") || file=$1
	try "${file##*/} is bound to the library" \
		all_bound LD_PRELOAD="$KMALLOC_SO" "$(readlink -f "$file")"
}

# mapped PID: the running process has the library in its address space
mapped()
{
	grep -qF " $KMALLOC_SO" "/proc/$1/maps"
}

# ----- data -----------------------------------------------------------------------------------

# numbers COUNT SEED: pseudo-random words, one line each, the same on every machine
numbers()
{
	awk -v n="$1" -v x="$2" 'BEGIN {
		for (i = 0; i < n; i++) {
			x = (x * 16807) % 2147483647
			printf "%d w%x %s\n", x % 100000, x % 4099,
				substr("abcdefghijklmnopqrstuvwxyz", x % 26 + 1)
		}
	}'
}
