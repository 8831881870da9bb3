#!/bin/sh
# SPDX-License-Identifier: MIT
# gcc.sh: gcc compiles a generated C++ file with templates and containers.
# what: g++: a generated C++ file with templates and containers

prepare() {
	need g++ g++
	n=$(count 60)
	{
		echo '#include <map>'
		echo '#include <string>'
		echo '#include <vector>'
		echo 'template <int N> struct S { std::map<int, std::vector<std::string>> m; int f(int x) {'
		echo 'for (int i = 0; i < N; i++) m[x + i].push_back(std::string(i + 1, char(x)));'
		echo 'return int(m.size()) + N; } };'
		i=0
		while [ "$i" -lt "$n" ]; do
			echo "int f$i(int x) { S<$i + 1> s; int r = 0; while (x-- > 0) r += s.f(x ^ $i); return r; }"
			i=$((i + 1))
		done
	} >"$KB_DIR/work.cc"
	g++ -O1 -S -o "$KB_DIR/expected" "$KB_DIR/work.cc"
}

run() {
	bench g++ -O1 -S -o result work.cc
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
