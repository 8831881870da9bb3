# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# Programs that people run, beyond those of tests/preload: each is first proved to be bound to the
# library, then does some work whose output must be the same as on the C library's malloc. What is
# not installed is skipped; with CHECK_PROGRAMS_INSTALL=1 it is installed from Debian's packages.

if [ "${CHECK_PROGRAMS_INSTALL:-0}" = 1 ]; then
	KMALLOC_TEST_INSTALL=yes
else
	KMALLOC_TEST_INSTALL=no
fi
export KMALLOC_TEST_INSTALL

# shellcheck disable=SC2034 # tests have another one; compilers.sh wants this
real_home=$HOME
# shellcheck source-path=SCRIPTDIR source=../preload/lib.sh
. "${0%/*}/../preload/lib.sh"
limit=300	# seconds: some of these are large, and machines are shared

# program COMMAND PACKAGE...: is it here, and the library's? COMMAND may be a path.
program()
{
	if get "$@"; then
		bound "${elf:-$1}"
		elf=
		return 0
	fi
	elf=
	program_name=$1
	shift
	skip "${program_name##*/}" "not installed (Debian: $*)"
	return 1
}

elf=	# what to prove instead, where COMMAND is a script
