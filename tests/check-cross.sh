#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The library compiles and links for aarch64, too.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

host=aarch64-linux-gnu

[ "$(uname -m)" != aarch64 ] || skip_all 'this is aarch64'
get $host-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross ||
	skip_all "no $host-gcc (Debian: gcc-aarch64-linux-gnu libc6-dev-arm64-cross)"
[ -x "$KM_SRC/configure" ] || skip_all 'no configure'
# A tree that was configured in place cannot be configured elsewhere.
[ ! -f "$KM_SRC/config.status" ] || skip_all 'the source tree itself is configured'

build()
{
	mkdir "$scratch/build" && cd "$scratch/build" && env -u CC -u CFLAGS -u CXX -u CONFIG_SITE \
		../src/configure --quiet --host=$host CFLAGS='-O2 -Werror' &&
		"$MAKE" -s libkmalloc.la
}

# configure does not take a path with blanks; this one has none.
ln -s "$KM_SRC" "$scratch/src"
unset MAKEFLAGS MAKELEVEL MFLAGS
try 'configure and make for aarch64' build
try 'the library is one for aarch64' sh -c \
	"$host-readelf -h '$scratch/build/.libs/libkmalloc.so.0' | grep -q 'Machine:.*AArch64'"
done_testing
