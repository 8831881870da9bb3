#!/bin/sh
# SPDX-License-Identifier: MIT
# redis.sh: redis-server under redis-benchmark, over a socket file.
# The processor time is the server's; the load generator runs on the C library's malloc.
# what: redis-server: SET, GET, LPUSH, HSET, ZADD under redis-benchmark

prepare() {
	need redis-server redis-server
	need redis-benchmark redis-tools
	count 60000 >"$KB_DIR/n"
}

ask() {
	redis-cli -s "$KB_DIR/sock" "$@"
}

start_server() {
	bench redis-server --port 0 --unixsocket "$KB_DIR/sock" --save '' --appendonly no \
		--dir "$KB_DIR" --daemonize no --activedefrag no >server.log 2>&1 &
	server=$!
	i=0
	until [ "$(ask ping 2>/dev/null)" = PONG ]; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || { report "fail the server did not start"; exit 3; }
		sleep 0.05
	done
}

run() {
	n=$(cat n)
	start_server
	begun=$(date +%s%N)
	redis-benchmark -s "$KB_DIR/sock" -q -n "$n" -r 20000 -d 120 -c 20 -P 8 \
		-t set,get,lpush,hset,zadd >/dev/null
	ended=$(date +%s%N)
	ask set key:check value-of-check >/dev/null
	[ "$(ask get key:check)" = value-of-check ] || { report "fail a value was lost"; exit 3; }
	cpu=$(cpu_of "$server")
	ask shutdown nosave >/dev/null 2>&1 || :
	wait "$server"
	report "time $((ended - begun)) $cpu $((n * 5))"
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
