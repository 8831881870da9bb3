#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gdb reads the symbols of a program and its libraries, stops in it, walks its stack and data. Both
# gdb and the program that it runs are on the library.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need gdb gdb
need g++ g++
bound gdb
export DEBUGINFOD_URLS=

cat >"$data/prog.cc" <<'END'
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
#include <vector>

struct node { int n; node *next; };
static std::map<std::string, std::vector<int>> table;
static node *list;

static int stop_here(int depth) { return depth + list->n; }
static int recurse(int depth) { return depth == 10 ? stop_here(depth) : recurse(depth + 1) + 1; }

int main()
{
	for (int i = 0; i < 100; i++) {
		table["key" + std::to_string(i % 5)].push_back(i);
		list = new node{ i, list };
	}
	std::thread([] { std::printf("%d\n", recurse(0)); std::fflush(stdout); }).join();
	return 7;
}
END
if ! g++ -g -O0 -pthread -o "$data/prog" "$data/prog.cc" 2>"$log/cc"; then
	skip_all "the C++ compiler does not work"
fi
cat >"$data/session" <<'END'
set pagination off
set print address off
set print thread-events off
set width 0
tbreak stop_here
run
bt 6
up 3
print depth
print *list
print list->next->next->n
ptype struct node
info line recurse
disassemble main
print (int) recurse(10) + 1
python print(sum(len(str(i)) for i in range(10000)))
python gdb.execute("info functions ^recurse")
continue
print $_exitcode
info types ^node$
END
gdb_run="gdb -nx -nh -batch -x $data/session"
if ! plain gdb -nx -nh -batch -ex run -ex 'print $_exitcode' "$data/prog" 2>&1 | grep -q '= 7'; then
	skip "a session with a running program" "programs cannot be traced here"
else
	# shellcheck disable=SC2086 # a command and its arguments
	same "a session with a running program" sh -c "$gdb_run $data/prog 2>&1 |
		sed -E 's/(Thread|LWP|process|Inferior) [x0-9a-f]+/\\1/g; s/0x[0-9a-f]+/ADDR/g'"
fi
same "symbols of a large library" gdb -nx -nh -batch -ex 'info functions ^std::__throw' \
	-ex 'info types ^std::' "$(g++ -print-file-name=libstdc++.so)"
same "python within gdb" gdb -nx -nh -batch \
	-ex 'python d = {str(i): [i] * 10 for i in range(50000)}' \
	-ex 'python print(len(d), sum(map(len, d.values())))' -ex 'print sizeof(long) * 7' \
	-ex 'macro define two 2' -ex 'print two + 40'
done_testing
