#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The first proof: the dynamic linker binds the malloc family to the library, also inside libc and
# libstdc++, and a counter in the process says that memory came from it. A library whose malloc
# carries a version is preloaded without effect, so the proof itself is tried on such a decoy.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# bound_in FILE SYMBOL...: the library serves each SYMBOL that FILE refers to
bound_in()
{
	user=$1
	shift
	for sym; do
		grep -qE "(^|/)$user $KMALLOC_SO $sym\$" "$log/bindings" && continue
		echo "$user: $sym is bound elsewhere or not used"
		grep -E "(^|/)$user .* $sym\$" "$log/bindings"
		return 1
	done
}

bound bash
bound sort
try "sort's own calls" bound_in sort malloc free calloc realloc
try "the C library's own calls" bound_in 'libc\.so\.6' malloc free calloc realloc

# every entry of the family, called the way an ordinary binary calls it
cat >"$data/family.c" <<'END'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	void *p[10] = { malloc(1), calloc(2, 2), realloc(NULL, 3), reallocarray(NULL, 4, 4),
			memalign(64, 5), aligned_alloc(64, 64), valloc(7), pvalloc(8) };
	int i, bad = posix_memalign(&p[8], 256, 9);

	for (i = 0; i < 9; i++) {
		bad += !p[i] || !malloc_usable_size(p[i]);
		free(p[i]);
	}
	printf("bad: %d\n", bad);
	mallopt(M_ARENA_MAX, 1);
	malloc_trim(0);
	return bad || !mallinfo2().arena;
}
END
calls='malloc calloc realloc reallocarray free memalign aligned_alloc posix_memalign valloc
	pvalloc malloc_usable_size mallopt malloc_trim mallinfo2'
cat >"$data/new.cc" <<'END'
#include <string>
#include <vector>

int main(int argc, char **)
{
	std::vector<std::string> v(100, std::string(100 + argc, 'x'));
	return v.size() != 100;
}
END
if cc -O1 -fno-builtin -o "$data/family" "$data/family.c" 2>"$log/cc"; then
	bound "$data/family"
	# shellcheck disable=SC2086 # one word a function
	try "each function of the family" bound_in family $calls
	same "each function of the family works" "$data/family"
else
	skip "the malloc family" "no C compiler"
fi
if c++ -O1 -o "$data/new" "$data/new.cc" 2>"$log/cc"; then
	bound "$data/new"
	try "operator new ends in the library" bound_in 'libstdc\+\+\.so\.6' malloc
	try "operator delete ends in the library" bound_in 'libstdc\+\+\.so\.6' free
else
	skip "operator new" "no C++ compiler"
fi

# counted FILE MINIMUM: the statistics in FILE speak of at least that many live objects
counted()
{
	head -n 2 "$1"
	live=$(sed -n '/^libkmalloc [0-9]/,/^slabinfo/s/^ *live .* objects [^(]*(\([0-9]*\)).*/\1/p' "$1")
	[ "${live:-0}" -ge "$2" ]
}

# A program of our own: an awk or a sort may keep its words in blocks of its own making.
cat >"$data/keep.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
static char *kept[20000];
int main(void)
{
	int i;

	for (i = 0; i < 20000; i++) {
		kept[i] = malloc(8 + i % 100);
		if (!kept[i])
			return 1;
		*kept[i] = 1;
	}
	puts("20000 kept");
	return 0;
}
END
if cc -O1 -fno-builtin -o "$data/keep" "$data/keep.c" 2>"$log/cc"; then
	echo '20000 kept' >"$log/want"
	in_work kmalloc env KMALLOC_OPTIONS=stats:1 "$data/keep" >"$log/out" 2>"$log/stats"
	try "the statistics count what is live" counted "$log/stats" 20000
	try "the statistics leave the output alone" cmp "$log/want" "$log/out"
else
	skip "the statistics" "no C compiler"
fi

# ----- the proof's own proof ------------------------------------------------------------------

unbound()
{
	! all_bound "$@"
}

sort_file=$(readlink -f "$(command -v sort)")
try "without the library the proof fails" unbound TZ=UTC "$sort_file"

echo 'V_1 { global: malloc; free; calloc; realloc; };' >"$data/decoy.map"
cat >"$data/decoy.c" <<'END'
#include <stddef.h>
void *malloc(size_t n) { return (void *)(n * 0); }
void *calloc(size_t n, size_t m) { return (void *)(n * m * 0); }
void *realloc(void *p, size_t n) { return (void *)((size_t)p * n * 0); }
void free(void *p) { (void)p; }
END
if cc -shared -fPIC -fno-builtin -Wl,--version-script="$data/decoy.map" -o "$data/decoy.so" \
	"$data/decoy.c" 2>"$log/cc"; then
	real=$KMALLOC_SO
	KMALLOC_SO=$data/decoy.so
	try "a library with a versioned malloc fails the proof" \
		unbound LD_PRELOAD="$data/decoy.so" "$sort_file"
	KMALLOC_SO=$real
else
	skip "a library with a versioned malloc fails the proof" "no C compiler"
fi
done_testing
