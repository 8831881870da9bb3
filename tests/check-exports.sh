#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the library shows to the world: its symbols, and the properties of the file that decide how
# the dynamic linker treats it.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

# has_flag NAME PATTERN: a line of the dynamic section matches.
has_flag()
{
	if grep -Eq "$2" "$scratch/dynamic"; then
		pass "$1"
	else
		fail "$1" "$scratch/dynamic"
	fi
}

# Addresses of the nodes themselves (type A) are not symbols that anybody asks for.
"$NM" -D --defined-only "$KMALLOC_SO" | awk '$2 != "A" { print $3 }' | sort > "$scratch/have"
grep -v '^#' "$KM_SRC/src/libkmalloc.exports" | sort > "$scratch/want"
diff "$scratch/want" "$scratch/have" > "$scratch/diff"
empty 'exported symbols are those of libkmalloc.exports' "$scratch/diff"

grep -v '^#' "$KM_SRC/src/libkmalloc.exports" | sort -c > "$scratch/order" 2>&1
empty 'libkmalloc.exports is sorted' "$scratch/order"

grep -E '^(malloc|free|calloc|realloc)@' "$scratch/have" > "$scratch/versioned"
empty 'the malloc family has no version' "$scratch/versioned"

"$READELF" -dW "$KMALLOC_SO" > "$scratch/dynamic"
has_flag 'soname libkmalloc.so.0' 'SONAME.*\[libkmalloc\.so\.0\]'
has_flag 'bound at start (-z now)' 'FLAGS.*NOW'
has_flag 'never unloaded (-z nodelete)' 'FLAGS_1.*NODELETE'
has_flag 'initial-exec TLS' 'FLAGS.*STATIC_TLS'

grep NEEDED "$scratch/dynamic" |
	grep -Ev '\[(libc\.(so\.6|musl-.*)|libpthread\.so\.0|ld-.*)\]' > "$scratch/needed"
if [ -n "$KM_SANITIZER" ]; then
	skip 'needs the C library only' 'a build with a sanitizer'
else
	empty 'needs the C library only' "$scratch/needed"
fi
grep TEXTREL "$scratch/dynamic" > "$scratch/textrel"
empty 'no relocations in code' "$scratch/textrel"

"$READELF" -lW "$KMALLOC_SO" > "$scratch/segments"
grep GNU_STACK "$scratch/segments" | grep -v 'RW ' > "$scratch/stack"
empty 'no executable stack' "$scratch/stack"
try 'read-only after relocation (-z relro)' grep -q GNU_RELRO "$scratch/segments"
grep -E '^ *LOAD' "$scratch/segments" | grep 'RWE' > "$scratch/rwe"
empty 'no segment both writable and executable' "$scratch/rwe"

tls=$(awk '$1 == "TLS" { print $6 }' "$scratch/segments")
echo "thread-local storage: $((${tls:-0})) bytes" > "$scratch/tls"
if [ "$((${tls:-0}))" -le 512 ]; then
	pass 'at most 512 bytes of thread-local storage'
else
	fail 'at most 512 bytes of thread-local storage' "$scratch/tls"
fi
done_testing
