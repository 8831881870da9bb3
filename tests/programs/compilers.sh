#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Compilers and what comes with them: clang, rustc, Go with cgo, cmake and ninja, make, m4, ld.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

if program clang clang; then
	same "clang: the library's own file" clang -std=gnu11 -O2 -w -S -o - -I"$KM_SRC/src" \
		-I"$KM_SRC/include" "$KM_SRC/src/lib/fmt.c"
	cat >"$data/a.cpp" <<'END'
#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <vector>
int f(const std::string &s) { return std::regex_match(s, std::regex("(a|b)+c*")); }
std::map<std::string, std::vector<int>> m;
END
	same "clang++: templates" clang++ -O1 -w -S -o - "$data/a.cpp"
fi

# The compiler may bring an allocator of its own; what it makes uses the process's.
if get rustc rustc; then
	cat >"$data/a.rs" <<'END'
use std::collections::BTreeMap;
use std::thread;
fn main() {
    let mut m: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for i in 0..200000u64 { m.entry(format!("{:x}", i * 7919 % 4099)).or_default().push(i); }
    let t: Vec<_> = (0..8).map(|k| { let m = m.clone();
        thread::spawn(move || m.values().map(|v| v.iter().sum::<u64>() % (k + 2)).sum::<u64>()) }).collect();
    for t in t { println!("{}", t.join().unwrap()); }
    println!("{} {:?}", m.len(), m.iter().next().map(|(k, v)| (k, v.len())));
}
END
	if HOME=$real_home rustc -O -o "$data/rs" "$data/a.rs" 2>"$log/rustc"; then
		bound "$data/rs"
		same "a program in Rust: maps and threads" "$data/rs"
	else
		skip "a program in Rust" "rustc does not work here"
	fi
else
	skip "a program in Rust" "not installed (Debian: rustc)"
fi

if program go golang-go; then
	cat >"$data/a.go" <<'END'
package main

/*
#include <stdlib.h>
#include <string.h>
static char *twice(const char *s) {
	char *t = malloc(2 * strlen(s) + 1);
	strcpy(t, s);
	return strcat(t, s);
}
*/
import "C"
import ("fmt"; "sync"; "unsafe")

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := 0; i < 64; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			for j := 0; j < 2000; j++ {
				s := C.CString(fmt.Sprint(i * j))
				t := C.twice(s)
				mu.Lock()
				sum += len(C.GoString(t))
				mu.Unlock()
				C.free(unsafe.Pointer(s))
				C.free(unsafe.Pointer(t))
			}
		}(i)
	}
	wg.Wait()
	fmt.Println(sum)
}
END
	mkdir -p "$scratch/go"
	export GOCACHE="$scratch/go/cache" GOPATH="$scratch/go" GO111MODULE=off GOFLAGS=-p=2
	same "go with cgo: malloc and free in 64 goroutines" sh -c \
		'cp "$0" a.go && CGO_ENABLED=1 go build -o a a.go && ./a' "$data/a.go"
	if [ -x "$scratch/work/a" ]; then
		bound "$scratch/work/a"
	fi
fi

if program cmake cmake; then
	mkdir "$data/cm"
	cat >"$data/cm/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.10)
project(sample C)
foreach(i RANGE 300)
	list(APPEND words "w${i}")
	string(SHA256 h "${words}")
endforeach()
message(STATUS "hash ${h}")
add_executable(sample main.c)
END
	echo 'int puts(const char *); int main(void) { return puts("built") < 0; }' >"$data/cm/main.c"
	same "cmake and make: configure, build, run" sh -c \
		'cmake "$0" | grep hash && make -s 2>&1 | grep -i built && ./sample' "$data/cm"
	if has ninja; then
		bound ninja
		same "cmake and ninja" sh -c \
			'cmake -G Ninja "$0" >/dev/null && ninja >/dev/null && ./sample' "$data/cm"
	else
		skip "ninja" "not installed (Debian: ninja-build)"
	fi
fi

if program make make; then
	same "make: 2000 targets, functions" sh -c '
		{ echo "all: $(seq -f "t%.0f" 2000 | tr "\n" " ")"; echo "	@echo done \$(words \$^)"
		  echo "t%: ; @:"; } > M && make -s -f M -j4'
fi

if program m4 m4; then
	same "m4: recursion and text" sh -c 'echo "define(\`f'"'"',\`ifelse(\$1,0,,\`f(decr(\$1))w\$1 '"'"')'"'"')f(900)" | m4 | cksum'
fi
done_testing
