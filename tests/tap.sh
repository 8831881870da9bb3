# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# What the shell tests share: TAP, and a folder of their own that goes away at the end.

tap_count=0

tap_result()
{
	tap_count=$((tap_count + 1))
	echo "$1 $tap_count - $2"
}

pass()
{
	tap_result ok "$1"
}

# fail NAME [FILE]: FILE's lines tell why.
fail()
{
	tap_result 'not ok' "$1"
	[ $# -lt 2 ] || sed 's/^/# /' "$2"
}

skip()
{
	tap_result ok "$1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# empty NAME FILE: passes if FILE, a list of complaints, is empty.
empty()
{
	if [ -s "$2" ]; then
		fail "$1" "$2"
	else
		pass "$1"
	fi
}

# try NAME COMMAND...: passes if COMMAND succeeds.
try()
{
	tap_name=$1
	shift
	if "$@" > "$scratch/try" 2>&1; then
		pass "$tap_name"
	else
		echo "exit status $? of: $*" >> "$scratch/try"
		fail "$tap_name" "$scratch/try"
	fi
}

done_testing()
{
	echo "1..$tap_count"
}

has()
{
	command -v "$1" >/dev/null 2>&1
}

tap_apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
		install --no-install-recommends "$@"
}

# get COMMAND PACKAGE...: has COMMAND, if need be from Debian's packages; fails where it cannot.
get()
{
	has "$1" && return
	if [ "${KMALLOC_TEST_INSTALL:-yes}" = no ] || [ "$(id -u)" -ne 0 ] || ! has apt-get; then
		return 1
	fi
	tap_command=$1
	shift
	{
		tap_apt "$@" || { apt-get -q update && tap_apt "$@"; }
	} > "$scratch/apt" 2>&1 </dev/null
	has "$tap_command"
}

: "${KM_SRC:?run me with make check}" "${KM_BUILD:?}" "${KMALLOC_SO:?}"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/libkmalloc.XXXXXX") || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM
LC_ALL=C
export LC_ALL
