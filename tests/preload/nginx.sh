#!/bin/sh
# SPDX-License-Identifier: MIT
#
# nginx with two workers under a loopback load: static files, gzip, a proxy to itself, a reload of
# the configuration meanwhile.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need nginx nginx-light
need ab apache2-utils
need curl curl
bound nginx

mkdir "$scratch/www" "$scratch/tmp"
chmod 755 "$scratch" "$scratch/www" "$scratch/tmp"	# the workers may be another user
numbers 30000 11 >"$scratch/www/large.txt"
numbers 50 12 >"$scratch/www/small.txt"
chmod 644 "$scratch"/www/*

configure()
{
	cat >"$scratch/nginx.conf" <<END
daemon off;
worker_processes 2;
pid $scratch/nginx.pid;
error_log $log/error.log warn;
events { worker_connections 256; }
http {
	types { text/plain txt; }
	access_log off;
	client_body_temp_path $scratch/tmp/body;
	proxy_temp_path $scratch/tmp/proxy;
	fastcgi_temp_path $scratch/tmp/fastcgi;
	uwsgi_temp_path $scratch/tmp/uwsgi;
	scgi_temp_path $scratch/tmp/scgi;
	keepalive_requests 1000000;
	gzip_types text/plain;
	gzip_min_length 100;
	server {
		listen 127.0.0.1:$port;
		root $scratch/www;
		location /zip/ { alias $scratch/www/; gzip on; gzip_comp_level 4; }
		location /proxy/ { proxy_pass http://127.0.0.1:$port/; proxy_buffers 8 4k; }
		location /sub/ { return 200 "\$request_uri \$http_user_agent\n"; }
	}
}
END
}

url()
{
	echo "http://127.0.0.1:$port/$1"
}

page()
{
	timeout 10 curl -sS --noproxy '*' "$(url "$1")"
}

# a port that is free now may be taken a moment later: try a few
for port in $(shuf -n 8 -i 20000-59999); do
	configure
	start nginx nginx -c "$scratch/nginx.conf" -e "$log/error.log"
	until_ok 5 page small.txt && grep -qsx "$pid" "$scratch/nginx.pid" && break
	stop_all
done
if ! page small.txt >"$scratch/small" 2>&1; then
	excerpt "$scratch/small" "$log/nginx" "$log/error.log" >"$log/why"
	fail "it answers" "$log/why"
	done_testing
	exit
fi
try "it answers" cmp "$scratch/small" "$scratch/www/small.txt"
try "the library is mapped in the master" mapped "$pid"
workers=$(pgrep -P "$pid" | tr '\n' ' ')
try "it has two workers" test "$(echo "$workers" | wc -w)" = 2
for worker in $workers; do
	try "the library is mapped in a worker" mapped "$worker"
done

fetch()
{
	timeout 20 curl -sS --noproxy '*' --compressed -o "$log/fetched" "$(url "$1")" &&
		cmp "$log/fetched" "$scratch/www/large.txt"
}
try "a file" fetch large.txt
try "a file, compressed" fetch zip/large.txt
try "a file through the proxy" fetch proxy/large.txt
try "a file through the proxy, compressed" fetch proxy/zip/large.txt
long=$(head -c 3000 /dev/zero | tr '\0' y)
try "a long address and long headers" sh -c 'timeout 10 curl -sS --noproxy "*" -A "$1" "$0$1" |
	grep -q "$1 $1"' "$(url sub/)" "$long"

# load NAME PATH REQUESTS OPTION...: every request is answered, in full
load()
{
	name=$1 path=$2 n=$3
	shift 3
	timeout 40 ab -q -n "$n" -c 32 "$@" "$(url "$path")" >"$log/ab" 2>&1
	try "$name: $n requests" awk -v n="$n" '
		{ print }
		/^Complete requests:/ { done = $3 }
		/^Failed requests:/ { failed = $3 }
		/^Non-2xx responses:/ { failed += $3 }
		END { exit done != n || failed }' "$log/ab"
}
load "small files, connections kept" small.txt 20000 -k
load "small files, a connection each" small.txt 5000
load "compressed" zip/large.txt 400 -k -H 'Accept-Encoding: gzip'
load "proxied" proxy/large.txt 600 -k

timeout 40 ab -q -n 4000 -c 16 "$(url proxy/small.txt)" >"$log/ab" 2>&1 &
during=$!
pids="$pids $during"
for _ in 1 2 3; do
	kill -HUP "$pid"
	sleep 0.3
done
wait "$during"
try "three reloads under load" grep -Eq '^Complete requests: +4000' "$log/ab"
try "old workers are gone" until_ok 10 \
	sh -c 'test "$(pgrep -P "$0" | wc -l)" = 2' "$pid"
try "a file after the reloads" fetch zip/large.txt

kill -QUIT "$pid"
try "it goes when told to" until_ok 10 gone "$pid"
try "nothing died" absent 'exited on signal|\[(alert|crit|emerg)\]' "$log/error.log"
try "nothing complained" quiet "$log/nginx" "$log/error.log"
done_testing
