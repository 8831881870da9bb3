#!/bin/sh
# SPDX-License-Identifier: MIT
#
# `make install` into a root of the test's own, then the checks of `make installcheck` on it.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

export DESTDIR="$scratch/root"
try 'make install' "$MAKE" -C "$KM_BUILD" -s install
if ! [ -d "$DESTDIR$KM_LIBDIR" ]; then
	done_testing
	exit 0
fi

for name in "$KM_BINDIR/kmalloc-run" "$KM_LIBDIR/libkmalloc.so" "$KM_LIBDIR/libkmalloc.so.0" \
	"$KM_PKGCONFIGDIR/libkmalloc.pc" "$KM_MANDIR/man7/libkmalloc.7" \
	"$KM_MANDIR/man1/kmalloc-run.1"; do
	try "installs ${name##*/}" test -e "$DESTDIR$name"
done

sh "$KM_SRC/tests/installed.sh" > "$scratch/installed" 2>&1
status=$?
sed 's/^/# /' "$scratch/installed"
try 'the installed library can be used' test $status -eq 0
done_testing
