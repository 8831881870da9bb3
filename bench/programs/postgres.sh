#!/bin/sh
# SPDX-License-Identifier: MIT
# postgres.sh: PostgreSQL under pgbench, server processes only.
# PostgreSQL refuses to run as root: then it runs as the user postgres. Its data directory is made
# once and copied for every run, so that no run sees the growth of an earlier one.
# what: PostgreSQL: pgbench, simple and prepared, several clients

bin() {
	for b in /usr/lib/postgresql/*/bin/"$1" "$(command -v "$1" || :)"; do
		[ -x "$b" ] && { echo "$b"; return; }
	done
	echo "$1 is not installed (Debian: postgresql)"
	exit 77
}

as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups "$@"
	else
		"$@"
	fi
}

server_options() {
	echo "-c fsync=off -c full_page_writes=off -c listen_addresses= -c unix_socket_directories=$1"
}

prepare() {
	bin initdb >/dev/null
	bin pgbench >/dev/null
	chmod 777 "$KB_DIR"
	cd "$KB_DIR"
	as_user "$(bin initdb)" -D "$KB_DIR/base" -A trust -U bench --no-sync >/dev/null
	# shellcheck disable=SC2046
	as_user "$(bin postgres)" -D "$KB_DIR/base" $(server_options "$KB_DIR") >prepare.out 2>&1 &
	wait_ready
	"$(bin pgbench)" -h "$KB_DIR" -U bench -q -i -s 1 postgres >/dev/null 2>&1
	as_user "$(bin pg_ctl)" -D "$KB_DIR/base" -s -m fast stop
	count 3000 >"$KB_DIR/n"
}

wait_ready() {
	i=0
	until "$(bin psql)" -h "$KB_DIR" -U bench -c 'SELECT 1' postgres >/dev/null 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 200 ] || { echo "the server did not start"; exit 3; }
		sleep 0.05
	done
}

balance() {
	"$(bin psql)" -h "$KB_DIR" -U bench -A -t -c \
		'SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)' \
		postgres
}

run() {
	n=$(cat n)
	rm -rf data
	as_user cp -a base data
	# shellcheck disable=SC2046
	as_user env "$KB_ENV" LD_PRELOAD="$KB_PRELOAD" "$(bin postgres)" -D "$KB_DIR/data" \
		$(server_options "$KB_DIR") >server.log 2>&1 &
	server=$!
	wait_ready
	begun=$(date +%s%N)
	"$(bin pgbench)" -h "$KB_DIR" -U bench -c 4 -j 1 -t "$((n / 4 + 1))" -n postgres \
		>/dev/null 2>&1
	"$(bin pgbench)" -h "$KB_DIR" -U bench -c 2 -j 1 -t "$((n / 2 + 1))" -n -S -M prepared \
		postgres >/dev/null 2>&1
	ended=$(date +%s%N)
	[ "$(balance)" = t ] || { report "fail the balances do not add up"; exit 3; }
	cpu=$(cpu_of "$server")
	as_user "$(bin pg_ctl)" -D "$KB_DIR/data" -s -m fast stop
	wait "$server"
	report "time $((ended - begun)) $cpu $((n * 2))"
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
