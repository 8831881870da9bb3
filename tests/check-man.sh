#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The manual pages are well formed, and libkmalloc(7) describes the options that there are.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

# Prints "name|range|default" for each option of the section OPTIONS. An entry there begins
# ".It Cm name : Ar range" and has the default in the line after "Default:".
described_options()
{
	awk '
		/^\.Sh / { in_options = ($0 == ".Sh OPTIONS") }
		!in_options { next }
		/^\.It Cm .* : Ar / { name = $3; range = $0; sub(/.* : Ar /, "", range) }
		previous == "Default:" && /^\.Cm / { print name "|" range "|" $2; name = "" }
		{ previous = $0 }' "$KM_SRC/man/libkmalloc.7"
}

# The messages of the section DIAGNOSTICS, as they are written in C.
described_messages()
{
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh COMPAT/s/^\.It //p' "$KM_SRC/man/libkmalloc.7" |
		sed 's/\\(dq/\\"/g'
}

# What the library says about misuse.
real_messages()
{
	find "$KM_SRC/src" -name '*.c' -exec \
		sed -n 's/.*\<\(warn\|corruption\)("\([^"]*\)".*/\2/p' {} +
}

for page in "$KM_SRC"/man/*.[1-9]; do
	name=${page##*/}
	if has mandoc; then
		# What is installed beside it is not this page's fault.
		mandoc -T lint -W style "$page" 2>&1 |
			grep -Ev 'referenced manual not found|outdated mandoc.db' > "$scratch/lint"
		empty "mandoc -T lint $name" "$scratch/lint"
	else
		skip "mandoc -T lint $name" 'no mandoc'
	fi
done

described_options | sort > "$scratch/described"
"$KM_BUILD/tests/options" | sort > "$scratch/real"
try 'there are options' test -s "$scratch/real"
diff "$scratch/real" "$scratch/described" > "$scratch/diff"
empty 'libkmalloc(7) has every option, its range and its default' "$scratch/diff"

described_messages | while IFS= read -r message; do
	grep -rqF "$message" "$KM_SRC/src" || echo "nobody says: $message"
done > "$scratch/unsaid"
empty 'the library says every message that libkmalloc(7) explains' "$scratch/unsaid"

real_messages | sort -u > "$scratch/messages"
try 'there are messages' test -s "$scratch/messages"
described_messages > "$scratch/explained"
grep -vxF -f "$scratch/explained" "$scratch/messages" > "$scratch/unexplained"
empty 'libkmalloc(7) explains every message about misuse' "$scratch/unexplained"

sed -n 's/@@KMALLOC_.*//p' "$KM_SRC/src/libkmalloc.exports" | while IFS= read -r name; do
	cat "$KM_SRC"/man/*.[37] | grep -qw -e "$name" || echo "$name"
done > "$scratch/undocumented"
empty 'every public function has its place in the manual' "$scratch/undocumented"
done_testing
