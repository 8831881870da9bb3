#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernel's own tests, unmodified, on this library. Their source is Debian's package
# linux-source-6.12, unpacked into the build folder; nothing of it is in this repository.
#
#	make check, make check-kernel		the quick ones
#	KMALLOC_TEST_FULL=yes make check-kernel	also maple and main: minutes
#
# KERNEL_SOURCE may name an unpacked tree, or a linux-source-6.12.tar.xz.

# shellcheck source=tests/tap.sh
. "${0%/*}/../tap.sh"

here=$KM_SRC/tests/kernel
work=$KM_BUILD/tests/kernel/work
tarball=/usr/src/linux-source-6.12.tar.xz
: "${KM_CC:=cc}" "${MAKE:=make}"

# What the tests need of the tree.
unpack()
{
	mkdir -p "$work/linux" && tar -xf "$1" -C "$work/linux" --strip-components=1 --wildcards \
		'*/lib/*.[ch]' '*/include/linux/*.h' '*/include/asm-generic/*.h' \
		'*/tools/include' '*/tools/lib/*.c' '*/tools/arch/x86/include' \
		'*/tools/testing/radix-tree' '*/tools/testing/shared' '*/tools/mm/slabinfo.c'
}

is_unpacked()
{
	[ -f "$linux/lib/slub_kunit.c" ] && [ -f "$linux/tools/mm/slabinfo.c" ]
}

have_source()
{
	case ${KERNEL_SOURCE:-} in
	*.tar.*) tarball=$KERNEL_SOURCE ;;
	?*) linux=$KERNEL_SOURCE; is_unpacked; return ;;
	esac
	linux=$work/linux
	! is_unpacked || return 0
	[ -f "$tarball" ] || get linux-source-none linux-source-6.12 || [ -f "$tarball" ] ||
		return 1
	unpack "$tarball" > "$scratch/unpack" 2>&1
	is_unpacked
}

have_urcu()
{
	echo '#include <urcu.h>' > "$scratch/urcu.c"
	"$KM_CC" -E "$scratch/urcu.c" >/dev/null 2>&1 && return
	get urcu-none liburcu-dev
	"$KM_CC" -E "$scratch/urcu.c" >/dev/null 2>&1
}

# build OUTPUT ARGUMENTS...: against the library, with the kernel's headers of this project.
build()
{
	output=$1
	shift
	"$KM_CC" -std=gnu11 -O1 -w -I"$here/stubs" -I"$KM_SRC/include" "$@" "$KMALLOC_SO" \
		-Wl,-rpath,"${KMALLOC_SO%/*}" -Wl,--no-as-needed -lurcu -lpthread \
		-o "$work/$output" > "$scratch/build" 2>&1
}

# run NAME PROGRAM: its own TAP, renumbered.
run_tap()
{
	timeout 120 "$work/$2" > "$scratch/tap" 2> "$scratch/stderr"
	status=$?
	sed -n 's/^ok [0-9]* - //p' "$scratch/tap" > "$scratch/passed"
	sed -n 's/^not ok [0-9]* - //p' "$scratch/tap" > "$scratch/failed"
	while read -r name; do pass "$name"; done < "$scratch/passed"
	while read -r name; do fail "$name" "$scratch/stderr"; done < "$scratch/failed"
	if [ "$status" -gt 1 ] || ! grep -q '^1\.\.' "$scratch/tap"; then
		fail "$1 ran to its end" "$scratch/stderr"
	fi
}

slub_kunit()
{
	mkdir -p "$work/kunit/lib" "$work/kunit/mm"
	cp "$linux/lib/slub_kunit.c" "$work/kunit/lib/" &&
		cp "$here/kunit/mm/slab.h" "$work/kunit/mm/"
	if build slub_kunit -I"$here/kunit" "$work/kunit/lib/slub_kunit.c"; then
		run_tap slub_kunit slub_kunit
	else
		fail 'slub_kunit builds' "$scratch/build"
	fi
}

meminit()
{
	if ! build meminit "$linux/lib/test_meminit.c"; then
		fail 'test_meminit builds' "$scratch/build"
		return
	fi
	KMALLOC_OPTIONS=init_on_alloc timeout 60 "$work/meminit" > "$scratch/meminit" 2>&1
	if grep -q 'all [0-9]* tests passed' "$scratch/meminit"; then
		pass "test_meminit: $(sed -n 's/^# \(all.*passed\)!/\1/p' "$scratch/meminit")"
	else
		fail test_meminit "$scratch/meminit"
	fi
	# It must be able to fail: without the option it finds memory that was not initialised.
	if timeout 60 "$work/meminit" > "$scratch/meminit" 2>&1; then
		fail 'test_meminit notices memory that is not initialised' "$scratch/meminit"
	else
		pass 'test_meminit notices memory that is not initialised'
	fi
}

btree()
{
	mkdir -p "$work/btree/include/linux"
	cp "$linux"/include/linux/btree*.h "$work/btree/include/linux/"
	if build btree-check -DLIBRARY_MODULE -I"$work/btree/include" "$linux/lib/btree.c" \
		"$here/btree-check.c"; then
		run_tap btree btree-check
	else
		fail 'lib/btree.c builds' "$scratch/build"
	fi
}

# on_tree ARGUMENT...: the kernel's slabinfo, for which the tree in $scratch/sys is /sys.
on_tree()
{
	# shellcheck disable=SC2016 # for the shell inside
	timeout 60 unshare -rm sh -c 'mount --bind "$1" /sys && shift && exec "$@"' sh \
		"$scratch/sys" "$work/slabinfo" "$@"
}

# Name, objects, their size and flags of its table, whose other columns are about slabs.
tool_table()
{
	sed -n '/^tree-/p' "$1" | awk '{ print $1, $2, $3, $10 }' | sort
}

# Name and bytes of all slabs, from the tool's table and from the text of slabinfo.
compare_space()
{
	awk '/^tree-/ { print $1, $4 }' "$scratch/table" | sort > "$scratch/space"
	awk -v page="$(getconf PAGESIZE)" '/^tree-/ { print $1, $15 * $6 * page }' \
		"$scratch/proc" | sort | diff - "$scratch/space"
}

# The bytes of all caches together, likewise.
compare_totals()
{
	used=$(sed -n 's/^Memory used *: *\([0-9][0-9]*\) .*/\1/p' "$scratch/totals")
	awk -v page="$(getconf PAGESIZE)" -v used="$used" '
		NR > 2 && NF == 16 { sum += $15 * $6 * page }
		END { print "slabinfo: " used ", /proc/slabinfo: " sum; exit sum != used || !sum }
	' "$scratch/proc"
}

slabinfo_tool()
{
	mkdir -p "$scratch/sys/kernel/slab"
	if ! "$KM_CC" -O1 -w "$linux/tools/mm/slabinfo.c" -o "$work/slabinfo" \
			> "$scratch/build" 2>&1 || ! build slab-tree "$here/slab-tree.c"; then
		fail 'tools/mm/slabinfo.c builds' "$scratch/build"
		return
	fi
	"$work/slab-tree" "$scratch/sys/kernel/slab" > "$scratch/want" 2> "$scratch/proc"
	if ! unshare -rm true 2>/dev/null; then
		skip 'tools/mm/slabinfo.c' 'no namespace of its own'
		return
	fi
	on_tree -B > "$scratch/table" 2>&1
	tool_table "$scratch/table" | sed 's/ *$//' > "$scratch/have"
	sed 's/ *$//' "$scratch/want" | sort | diff - "$scratch/have" > "$scratch/diff"
	try 'slabinfo finds caches' test -s "$scratch/have"
	empty 'slabinfo finds the objects in use, their sizes and the flags' "$scratch/diff"
	try 'slabinfo finds the space that /proc/slabinfo tells' compare_space
	on_tree -T -B > "$scratch/totals" 2>&1
	try 'slabinfo adds up to the same space' compare_totals
	on_tree -D '^tree-' > "$scratch/activity" 2>&1
	awk '/^tree-/ && ($3 - $4 != $2 || !$3)' "$scratch/activity" > "$scratch/unequal"
	empty 'slabinfo finds that what was allocated and not freed is in use' "$scratch/unequal"
	on_tree -r tree-debug > "$scratch/report" 2>&1
	try 'slabinfo reports on one cache' grep -q '^Slabcache: tree-debug.*' "$scratch/report"
}

# radix_run PROGRAM SECONDS [PATTERN]: exit status 0, and the line that its last check prints.
radix_run()
{
	(cd "$radix" && timeout "$2" "./$1") > "$scratch/out" 2>&1
	status=$?
	if [ "$status" -ne 0 ] || { [ $# -eq 3 ] && ! grep -q "$3" "$scratch/out"; }; then
		echo "exit status $status" >> "$scratch/out"
		fail "tools/testing/radix-tree: $1" "$scratch/out"
	else
		pass "tools/testing/radix-tree: $1 $(grep "${3:-none}" "$scratch/out" | tail -n 1)"
	fi
}

rcu()
{
	if build rcu-check "$here/rcu-check.c"; then
		run_tap rcu rcu-check
	else
		fail 'rcu-check builds' "$scratch/build"
	fi
}

# The make rules of the suite, with the adaptor in place of its own allocator.
radix_make()
{
	objects='xarray-shared.o radix-tree.o idr.o find_bit.o bitmap.o hweight.o vsprintf.o'
	flags='-I../shared -I. -I../../include -I../../../lib -g -O2 -w -D_LGPL_SOURCE'
	"$KM_CC" -std=gnu11 -O2 -I"$KM_SRC/include" -c "$here/radix-adaptor.c" \
		-o "$work/radix-adaptor.o" || return
	env -u MAKEFLAGS -u MAKELEVEL "$MAKE" -s -C "$radix" CC="$KM_CC" LDFLAGS= \
		CFLAGS="$flags -include $here/radix-rename.h" SHARED_OFILES="$objects" \
		LDLIBS="$work/radix-adaptor.o $KMALLOC_SO -Wl,-rpath,${KMALLOC_SO%/*} -lpthread -lurcu" \
		"$@"
}

radix_tree()
{
	radix=$linux/tools/testing/radix-tree
	set -- xarray multiorder idr-test
	[ "${KMALLOC_TEST_FULL:-no}" = no ] || set -- "$@" maple main
	if ! radix_make generated/map-shift.h generated/bit-length.h "$@" > "$scratch/build" 2>&1
	then
		fail 'tools/testing/radix-tree builds' "$scratch/build"
		return
	fi
	radix_run xarray 600 'tests passed'
	radix_run multiorder 300
	radix_run idr-test 600 'tests passed'
	[ "${KMALLOC_TEST_FULL:-no}" = no ] || radix_run maple 1200 'tests passed'
	[ "${KMALLOC_TEST_FULL:-no}" = no ] || radix_run main 1200
}

[ -z "${KM_SANITIZER:-}" ] || skip_all 'a build with a sanitizer'
have_source || skip_all 'no linux-source-6.12'
have_urcu || skip_all 'no liburcu-dev'
slub_kunit
meminit
btree
rcu
slabinfo_tool
if [ "$linux" = "$work/linux" ]; then
	radix_tree
else
	skip 'tools/testing/radix-tree' 'built only in a tree of its own'
fi
done_testing
