#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A folder of src/ includes itself and the folders below it, never one above. What observe/ knows
# about the others is nobody's business but the C library front end's.

# shellcheck source=tests/tap.sh
. "${0%/*}/tap.sh"

layers='lib os mm slab harden magazine kmalloc observe malloc'

check_layer()
{
	find "$KM_SRC/src/$1" -name '*.[chS]' | while IFS= read -r file; do
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" |
		while IFS= read -r name; do
			folder=${name%/*}
			case " $2 " in
			*" $folder "*) ;;
			*) echo "${file#"$KM_SRC/"} includes \"$name\"" ;;
			esac
			[ -f "$KM_SRC/src/$name" ] || echo "${file#"$KM_SRC/"}: no src/$name"
		done
	done
}

allowed=
for layer in $layers; do
	below=$allowed
	allowed="$allowed $layer"
	[ -d "$KM_SRC/src/$layer" ] || { fail "src/$layer exists"; continue; }
	check_layer "$layer" "$below $layer" > "$scratch/$layer"
	empty "src/$layer includes only:$below $layer" "$scratch/$layer"
done

for folder in "$KM_SRC"/src/*/; do
	folder=${folder%/}
	case " $layers " in
	*" ${folder##*/} "*) ;;
	*) echo "src/${folder##*/}" ;;
	esac
done > "$scratch/unknown"
empty 'every folder of src/ has its place in the order' "$scratch/unknown"

find "$KM_SRC/src" -name '*.[chS]' -exec grep -Hn '#[[:space:]]*include.*\.c[">]' {} + > "$scratch/c"
empty 'nobody includes a .c file' "$scratch/c"
done_testing
