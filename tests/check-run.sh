#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kmalloc-run does what its page says.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

run=$KM_BUILD/tools/kmalloc-run
unset KMALLOC_OPTIONS LD_PRELOAD

# expect NAME STATUS STDOUT COMMAND...
expect()
{
	name=$1 status=$2 stdout=$3
	shift 3
	"$@" > "$scratch/out" 2> "$scratch/err"
	got=$?
	if [ $got -eq "$status" ] && [ "$(cat "$scratch/out")" = "$stdout" ]; then
		pass "$name"
	else
		{ echo "status $got, stdout and stderr:"; cat "$scratch/out" "$scratch/err"; } \
			> "$scratch/both"
		fail "$name" "$scratch/both"
	fi
}

expect 'the library is loaded' 0 yes "$run" sh -c \
	'! grep -q libkmalloc.so /proc/self/maps || echo yes'
expect 'the exit status passes through' 7 '' "$run" sh -c 'exit 7'
expect 'arguments stay as they are' 0 "[a b][][*]" "$run" -- \
	sh -c 'printf "[%s]" "$@"' sh 'a b' '' '*'
expect 'an unknown command' 127 '' "$run" /nowhere/at-all
expect 'options are joined' 0 'decay_ms:5,stats:0' "$run" --option decay_ms:5 --option=stats:0 \
	sh -c 'echo "$KMALLOC_OPTIONS"'
expect '--hardened is the option' 0 'hardened:1' "$run" --hardened sh -c 'echo "$KMALLOC_OPTIONS"'
expect 'options are added to those of the environment' 0 'thp:never,stats:0' \
	env KMALLOC_OPTIONS=thp:never "$run" --option stats:0 sh -c 'echo "$KMALLOC_OPTIONS"'
expect 'an option without a value' 125 '' "$run" --option decay_ms true
expect 'an unknown option' 125 '' "$run" --nonsense true
expect 'no command' 125 '' "$run"
expect '--version' 0 "kmalloc-run (libkmalloc) $(sed -n \
	's/^#define PACKAGE_VERSION "\(.*\)"/\1/p' "$KM_BUILD/config.h")" "$run" --version
try '--help' sh -c "'$run' --help | grep -q Usage:"
expect 'what was preloaded before stays' 0 /nowhere.so \
	env LD_PRELOAD=/nowhere.so "$run" sh -c 'echo "${LD_PRELOAD#*libkmalloc.so.0:}"'

# The same from a folder with blanks in its name, as installed there.
mkdir -p "$scratch/a b/bin" "$scratch/a b/lib"
cp "$KMALLOC_SO" "$scratch/a b/lib/libkmalloc.so.0"
sed "s|^libdir=.*|libdir='/nowhere/lib'|" "$run" > "$scratch/a b/bin/kmalloc-run"
chmod +x "$scratch/a b/bin/kmalloc-run"
expect 'works where the path has blanks' 0 yes "$scratch/a b/bin/kmalloc-run" sh -c \
	'! grep -q "a b/lib/libkmalloc.so" /proc/self/maps || echo yes'
rm "$scratch/a b/lib/libkmalloc.so.0"
expect 'a library that is not there' 126 '' "$scratch/a b/bin/kmalloc-run" true
done_testing
