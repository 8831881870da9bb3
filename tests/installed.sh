#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Uses an installed libkmalloc as its users do: a program compiled with what pkg-config says, and a
# program started by kmalloc-run. Called by `make installcheck` and by check-install.sh, with the
# folders in DESTDIR, KM_PKGCONFIGDIR and KM_BINDIR.

set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/libkmalloc.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail()
{
	echo "installcheck: $1" >&2
	exit 1
}

# DESTDIR, where packagers put things on their way, is not in the .pc file.
pc()
{
	PKG_CONFIG_PATH=$DESTDIR$KM_PKGCONFIGDIR PKG_CONFIG_SYSROOT_DIR=$DESTDIR \
		pkg-config "$@" libkmalloc
}

pc --exists || fail "pkg-config does not find libkmalloc in $DESTDIR$KM_PKGCONFIGDIR"
libdir=$DESTDIR$(PKG_CONFIG_PATH=$DESTDIR$KM_PKGCONFIGDIR pkg-config --variable=libdir libkmalloc)

cat > "$work/consumer.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <kmalloc/kmalloc.h>

int main(void)
{
	char *text = malloc(100);

	if (!text || !kmalloc_version())
		return 1;
	strcpy(text, "works");
	free(text);
	return 0;
}
END
# shellcheck disable=SC2046
$KM_CC -Wall -Werror -o "$work/consumer" "$work/consumer.c" $(pc --cflags --libs) ||
	fail 'a program cannot be compiled with what pkg-config says'
LD_LIBRARY_PATH=$libdir "$work/consumer" || fail 'the compiled program does not run'
echo 'installcheck: a program compiles, links and runs'

"$DESTDIR$KM_BINDIR/kmalloc-run" sh -c 'grep -q libkmalloc /proc/self/maps' ||
	fail 'kmalloc-run does not preload the library'
echo 'installcheck: kmalloc-run preloads the library'
