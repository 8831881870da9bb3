#!/bin/sh
# SPDX-License-Identifier: MIT
#
# redis-server under redis-benchmark on a unix socket, with a snapshot by a forked child while
# clients write, a restart from the snapshot, and a digest of the data compared with the digest that
# a server without the library computes from the same commands.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need redis-server redis-server
need redis-benchmark redis-tools
need redis-cli redis-tools
limit=55
bound redis-server

mkdir "$scratch/db"
sock=$scratch/redis.sock

redis()
{
	timeout 30 redis-cli -s "$sock" "$@"
}

# answers LINE COMMAND...: the server's reply is just that
answers()
{
	line=$1
	shift
	redis "$@" >"$log/reply" 2>&1
	cat "$log/reply"
	grep -qx "$line" "$log/reply"
}

# It answers while it still loads the data, but with an error, which redis-cli does not count.
ready()
{
	answers PONG ping
}

# server RUNNER NAME: start one and wait until it answers
server()
{
	"$1" "$2" redis-server --port 0 --unixsocket "$sock" --dir "$scratch/db" --save '' \
		--enable-debug-command yes --daemonize no --io-threads 2 --hz 50 \
		--lazyfree-lazy-user-del yes
	until_ok 10 ready
}

# persistence LINE: what the server says of its snapshots
persistence()
{
	redis info persistence | tr -d '\r' | grep -x "$1"
}

start_plain()
{
	shift
	timeout -k 5 "$limit" "$@" >"$log/plain" 2>&1 </dev/null &
	pids="$pids $!"
}

# a deterministic set of every type, with overwrites and deletes
numbers 40000 3 | awk '
	{ k = $1 % 5000 }
	NR % 8 == 0 { print "SET s" k, $3 $3 $2 }
	NR % 8 == 1 { print "APPEND s" k, $2 }
	NR % 8 == 2 { print "HSET h" k % 300, $2, $3 }
	NR % 8 == 3 { print "RPUSH l" k % 200, $3, $1 }
	NR % 8 == 4 { print "ZADD z" k % 100, $1, $2 }
	NR % 8 == 5 { print "SADD t" k % 100, $1 }
	NR % 8 == 6 { print "DEL s" (k + 7) % 5000 }
	NR % 8 == 7 { print "LPOP l" k % 200 }' >"$data/commands"

server start_plain plain
redis <"$data/commands" | sha256sum >"$log/want"
redis debug digest >>"$log/want"
redis shutdown nosave >/dev/null 2>&1
stop_all

if server start first; then
	pass "it answers"
	try "the library is mapped in the server" mapped "$pid"
else
	fail "it answers" "$log/first"
fi
redis <"$data/commands" | sha256sum >"$log/got"
redis debug digest >>"$log/got"
try "replies and digest are those of a server without the library" equal "$log/want" "$log/got"

timeout 45 redis-benchmark -s "$sock" -q -c 40 -n 10000 -P 8 -r 20000 -d 100 \
	-t set,get,incr,lpush,rpop,sadd,hset,spop,zadd,lrange_100,mset >"$log/benchmark" 2>&1 &
load=$!
pids="$pids $load"
sleep 1
try "a snapshot begins under load" redis bgsave
wait "$load"
status=$?
try "redis-benchmark ends well" test $status = 0
try "redis-benchmark ran all its tests" \
	test "$(tr '\r' '\n' <"$log/benchmark" | grep -c 'requests per second, p50')" -ge 11
try "the snapshot ends" until_ok 20 persistence rdb_bgsave_in_progress:0
try "the snapshot's child succeeds" persistence rdb_last_bgsave_status:ok

try "it reloads the data" answers OK debug reload
redis debug digest >"$log/before" 2>&1
try "it has a digest" grep -Ex "[0-9a-f]{40}" "$log/before"
keys=$(redis dbsize)
try "there is data" test "$keys" -gt 1000
try "it saves the data" answers OK save
redis shutdown nosave >/dev/null 2>&1
try "it goes when told to" until_ok 10 gone "$pid"
try "it ended in the ordinary way" grep -q 'Redis is now ready to exit, bye bye' "$log/first"

server start second
redis debug digest >"$log/after" 2>&1
try "a new server has the same data" equal "$log/before" "$log/after"
redis flushall async >/dev/null
try "and can drop it" test "$(redis dbsize)" = 0
redis shutdown nosave >/dev/null 2>&1
wait
try "neither server complained" quiet "$log/first" "$log/second"
try "neither server crashed" absent 'REDIS BUG REPORT|crashed by signal' "$log/first" "$log/second"
done_testing
