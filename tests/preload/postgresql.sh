#!/bin/sh
# SPDX-License-Identifier: MIT
#
# PostgreSQL: initdb, pgbench with several clients, parallel queries, a crash-free shutdown, page
# checksums and amcheck afterwards. The server refuses to run as root, so root becomes nobody.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Debian keeps the server's programs, by version, where nobody's PATH leads.
find_server()
{
	server=$(find /usr/lib/postgresql -path '*/bin/postgres' 2>/dev/null | sort -V | tail -n 1)
	[ -z "$server" ] || PATH=${server%/postgres}:$PATH
}

find_server
if ! has postgres; then
	need pg_ctlcluster postgresql
	find_server
fi
has postgres || skip_all "no postgres (Debian: postgresql)"
limit=55
bound "$(command -v postgres)"

# The library's own folder may be closed to another user.
cp "$KMALLOC_SO" "$scratch/${KMALLOC_SO##*/}" && KMALLOC_SO=$scratch/${KMALLOC_SO##*/}
chmod 755 "$scratch" "$KMALLOC_SO"
mkdir "$scratch/pg"
become="env"
if [ "$(id -u)" = 0 ]; then
	chown 65534:65534 "$scratch/pg"
	become='setpriv --reuid=65534 --regid=65534 --clear-groups env'
	$become test -x "$scratch/pg" || skip_all "another user cannot look into $scratch"
fi

pg()
{
	# shellcheck disable=SC2086 # a command and its arguments
	(cd "$scratch/pg" && timeout -k 5 "$limit" $become LD_PRELOAD="$KMALLOC_SO" "$@")
}

sql()
{
	(cd "$scratch/pg" && timeout -k 5 "$limit" psql -X -q -A -t -h "$scratch/pg" -U postgres \
		-v ON_ERROR_STOP=1 "$@")
}

try "initdb" pg initdb -D "$scratch/pg/data" -U postgres -A trust -k -N --no-instructions
cp "$scratch/try" "$log/initdb"
try "initdb did not complain" quiet "$log/initdb"

cat >>"$scratch/pg/data/postgresql.conf" <<END
listen_addresses = ''
unix_socket_directories = '$scratch/pg'
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
max_parallel_workers_per_gather = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
autovacuum_naptime = 1s
work_mem = 1MB
END

# shellcheck disable=SC2086 # a command and its arguments
start postgres $become LD_PRELOAD="$KMALLOC_SO" postgres -D "$scratch/pg/data"
if ! until_ok 20 sql -c 'select 1' template1; then
	fail "the server answers" "$log/postgres"
	done_testing
	exit
fi
pass "the server answers"
pid=$(head -n 1 "$scratch/pg/data/postmaster.pid")
try "the library is mapped in the server" mapped "$pid"

sql -c "select pg_sleep(3)" postgres >/dev/null 2>&1 &
pids="$pids $!"
until_ok 3 pgrep -P "$pid" -f 'postgres: .*SELECT'
try "the library is mapped in a backend" mapped \
	"$(pgrep -P "$pid" -f 'postgres: .*SELECT' | head -n 1)"

# answers that coreutils can give as well
seq -s, 1 100000 | tr -d '\n' | md5sum | cut -d' ' -f1 >"$log/want"
awk 'BEGIN { for (i = 1; i <= 200000; i++) n[i * 7919 % 1009] += i
	for (k in n) print k "|" n[k] }' |
	sort -t'|' -k1n | md5sum | cut -d' ' -f1 >>"$log/want"
sql postgres >"$log/got" 2>&1 <<'END'
select md5(string_agg(i::text, ',' order by i)) from generate_series(1, 100000) i;
create table g as select i, i * 7919 % 1009 as k from generate_series(1, 200000::bigint) i;
select md5(string_agg(k || '|' || s || E'\n', '' order by k)) from
	(select k, sum(i) as s from g group by k) x;
END
try "queries" diff "$log/want" "$log/got"
try "hash joins, sorts, JSON, expressions" sql postgres -c "
	create index on g(k, i);
	select count(*) from g a join g b using (i) where a.k < 500;
	select count(*) from (select * from g order by md5(i::text)) x;
	select length(jsonb_agg(to_jsonb(g))::text) from g where i < 20000;
	select count(*) from g where i::text ~ '^(1|2)+[3-7]*\$';
	do \$\$ declare s text := ''; begin for n in 1..20000 loop s := s || n; if n % 100 = 0 then
		begin perform 1 / (n % 200); exception
		when division_by_zero then s := ''; end; end if;
		end loop; end \$\$;"

try "pgbench makes its tables" pg pgbench -i -q -s 3 -h "$scratch/pg" -U postgres postgres
try "pgbench: 4 clients, 2000 transactions" \
	pg pgbench -c 4 -j 2 -t 500 -h "$scratch/pg" -U postgres postgres
cp "$scratch/try" "$log/pgbench"
try "each was counted" grep 'processed: 2000/2000' "$log/pgbench"
try "pgbench with a connection each" \
	pg pgbench -n -C -c 4 -j 2 -t 30 -S -h "$scratch/pg" -U postgres postgres
sql postgres >"$log/sums" -c "select (select sum(delta) from pgbench_history) =
	all (array[(select sum(abalance) from pgbench_accounts), (select sum(bbalance) from
	pgbench_branches), (select sum(tbalance) from pgbench_tellers)]), count(*)
	from pgbench_history"
try "the books balance" grep -x 't|2000' "$log/sums"
try "vacuum and analyze" sql postgres -c 'vacuum (full, analyze)'
try "indexes are sound" sql postgres -c "
	create extension amcheck;
	select bt_index_check(c.oid, true) from pg_class c join pg_am a on a.oid = relam
		where amname = 'btree' and relkind = 'i' and relpersistence = 'p';"

# dump DATABASE: as text, less the random key that newer versions put in
dump()
{
	pg pg_dump -h "$scratch/pg" -U postgres "$1" | sed -E '/^.(un)?restrict /d'
}

dump postgres >"$log/dump"
try "pg_dump" grep -q 'PostgreSQL database dump complete' "$log/dump"
sql -c 'create database copy' postgres
try "and load" sql -f "$log/dump" copy
dump copy >"$log/copy"
try "the copy is the same" equal "$log/dump" "$log/copy"

try "it stops when told to" pg pg_ctl -D "$scratch/pg/data" -m fast -t 20 stop
try "every page has its checksum" pg pg_checksums --check -D "$scratch/pg/data"
try "no process died" absent 'terminated by signal|PANIC|exited with exit code [^01]' "$log/postgres"
try "nothing complained" quiet "$log/postgres"
done_testing
