#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gcc and g++: the driver, the compilers, assembler, linker and ar build several files; the object
# files are the same to the byte, and the programs run.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need gcc gcc
need g++ g++
bound gcc
bound "$(gcc -print-prog-name=cc1)"
bound "$(gcc -print-prog-name=cc1plus)"
bound "$(gcc -print-prog-name=as)"
bound "$(gcc -print-prog-name=ld)"

# generated C: many functions, a table of them, one header
for unit in 1 2 3 4; do
	awk -v u="$unit" 'BEGIN {
		print "#include \"all.h\""
		for (i = 0; i < 150; i++) {
			printf "static unsigned f%d_%d(unsigned x)\n{\n", u, i
			printf "\tunsigned i, s = %d;\n\n\tfor (i = 0; i < x %% 17; i++)\n", i * u
			printf "\t\tswitch ((x + i) & 3) {\n\t\tcase 0: s ^= x << (i & 7); break;\n"
			printf "\t\tcase 1: s += x / (i + %d); break;\n", i + 1
			printf "\t\tcase 2: s = s * 31 + i; break;\n"
			printf "\t\tdefault: s = s + 1;\n\t\t}\n\treturn %s;\n}\n", \
				i % 5 ? sprintf("f%d_%d(s)", u, i - 1) : "s"
		}
		printf "const function table%d[150] = {", u
		for (i = 0; i < 150; i++)
			printf " f%d_%d,", u, i
		print " };"
	}' >"$data/unit$unit.c"
done
cat >"$data/all.h" <<'END'
typedef unsigned (*function)(unsigned);
extern const function table1[150], table2[150], table3[150], table4[150];
END
cat >"$data/main.c" <<'END'
#include <stdio.h>
#include "all.h"

int main(void)
{
	const function *t[] = { table1, table2, table3, table4 };
	unsigned i, s = 1;

	for (i = 0; i < 600; i++)
		s = s * 33 ^ t[i / 150][i % 150](s + i);
	printf("%u\n", s);
	return 0;
}
END
cat >"$data/build" <<'END'
set -e
for f in unit1 unit2 unit3 unit4 main; do
	gcc -O2 -g -Wall -pipe -I"$1" -c "$1/$f.c" -o $f.o
done
ar rcsD libunits.a unit?.o
gcc -o prog main.o libunits.a
gcc -O2 -flto=2 -o prog-lto "$1"/unit?.c "$1/main.c"
sha256sum ./*.o libunits.a prog
./prog
./prog-lto
nm prog | awk '{ print $2, $3 }' | sort | sha256sum
END
same "C: five files, archive, link, LTO" sh "$data/build" "$data"

cat >"$data/shapes.cc" <<'END'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

template <int N> struct fib {
	static constexpr long value = fib<N - 1>::value + fib<N - 2>::value;
};
template <> struct fib<1> { static constexpr long value = 1; };
template <> struct fib<0> { static constexpr long value = 0; };

struct shape { virtual ~shape() = default; virtual double area() const = 0; };
struct square : shape {
	double a;
	square(double x) : a(x) {}
	double area() const override { return a * a; }
};
struct disc : shape {
	double r;
	disc(double x) : r(x) {}
	double area() const override { return 3 * r * r; }
};

int main()
{
	std::vector<std::unique_ptr<shape>> v;
	std::map<std::string, std::variant<int, double, std::string>> m;
	for (int i = 0; i < 100; i++)
		if (i % 2)
			v.push_back(std::make_unique<square>(i));
		else
			v.push_back(std::make_unique<disc>(i));
	std::sort(v.begin(), v.end(), [](auto &a, auto &b) { return a->area() < b->area(); });
	m["n"] = int(v.size()); m["max"] = v.back()->area(); m["s"] = std::string("text");
	for (auto &[k, x] : m)
		std::visit([&k = k](auto &y) { std::cout << k << ' ' << y << '\n'; }, x);
	std::cout << fib<60>::value << '\n';
}
END
cat >"$data/build++" <<'END'
set -e
g++ -std=c++17 -O2 -g -c "$1/shapes.cc" -o shapes.o
g++ -o shapes shapes.o
sha256sum shapes.o
./shapes
END
same "C++: templates, run the result" sh "$data/build++" "$data"
cat >"$data/wrong.c" <<'END'
int main(void) { retrun undeclared + ; }
END
same "errors are diagnosed" sh -c 'gcc -c "$0" 2>&1; echo "exit $?"' "$data/wrong.c"

# the project's own sources
find "$KM_SRC/src" -name '*.c' -size +2k 2>/dev/null | sort | head -n 8 >"$data/own"
own='for f in $(cat "$0"); do
	gcc -std=gnu11 -O2 -g -D_GNU_SOURCE -DPACKAGE_VERSION=\"0\" -I"$1/src" -I"$1/include" \
		-fPIC -w -c "$f" -o x.o || exit
	sha256sum x.o; done'
if [ -s "$data/own" ] && in_work plain sh -c "$own" "$data/own" "$KM_SRC" >/dev/null 2>&1; then
	same "this project's own sources" sh -c "$own" "$data/own" "$KM_SRC"
else
	skip "this project's own sources" "they do not compile here without the library, too"
fi
done_testing
