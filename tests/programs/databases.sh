#!/bin/sh
# SPDX-License-Identifier: MIT
#
# MariaDB: a server on the library with several clients at once.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

program mariadbd mariadb-server || { done_testing; exit; }

base=$scratch/maria
mkdir -p "$base"
chmod 777 "$base"
chmod a+rx "$scratch"
user=
[ "$(id -u)" -ne 0 ] || user=--user=root
# shellcheck disable=SC2086
mariadb-install-db --no-defaults $user --datadir="$base/data" --skip-test-db \
	--auth-root-authentication-method=normal >"$log/install" 2>&1 </dev/null ||
	{ fail "a database is made" "$log/install"; done_testing; exit; }

# shellcheck disable=SC2086
start mariadbd "$(command -v mariadbd)" --no-defaults $user --datadir="$base/data" \
	--socket="$base/sock" --pid-file="$base/pid" --skip-networking --innodb-buffer-pool-size=64M
sql()
{
	mariadb --no-defaults -uroot -S "$base/sock" "$@"
}
if ! until_ok 60 sql -e 'select 1'; then
	fail "the server answers" "$log/mariadbd"
	done_testing
	exit
fi
try "the server has the library" mapped "$pid"

cat >"$data/make.sql" <<'END'
create database k; use k;
create table t(id int primary key auto_increment, v int, w varchar(40), index(v), index(w));
insert into t(v, w) select seq * 7919 % 10007, concat('w', seq * 31 % 4099) from seq_1_to_50000;
END
cat >"$data/ask.sql" <<'END'
select count(*), sum(v), min(w), max(w) from t;
select w, count(*) n, group_concat(v order by v) from t group by w order by n desc, w limit 5;
select a.w, count(*) from t a join t b on a.v = b.v and a.id < b.id group by a.w order by 2 desc, 1 limit 5;
select json_extract(json_object('a', json_arrayagg(v)), '$.a[3]') from (select v from t order by id limit 100) x;
END
try "tables are filled" sql -e "source $data/make.sql"
clients()
{
	for i in 1 2 3 4 5 6; do
		sql k -e "source $data/ask.sql" >"$log/answer$i" 2>&1 &
		asking="${asking:-} $!"
	done
	# shellcheck disable=SC2086
	wait $asking
	for i in 2 3 4 5 6; do
		cmp "$log/answer1" "$log/answer$i" || return 1
	done
	grep -q '^50000	250' "$log/answer1"
}
try "six clients at once get the same, right answers" clients
try "tables check" sh -c 'mariadb-check --no-defaults -uroot -S "$0" k | grep "k.t .*OK"' "$base/sock"
sql -e shutdown
try "the server ends" until_ok 60 gone "$pid"
try "without a complaint" quiet "$log/mariadbd"
done_testing
