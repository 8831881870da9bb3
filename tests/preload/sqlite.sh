#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sqlite3: indexes, joins, window functions, full text search, JSON, vacuum, integrity check.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need sqlite3 sqlite3
bound sqlite3

numbers 50000 5 | tr ' ' '|' >"$data/rows"
cat >"$data/queries" <<END
pragma journal_mode = wal;
pragma cache_size = -2000;
create table n(id integer primary key, v int, w text, s text);
create table raw(v int, w text, s text);
.import $data/rows raw
insert into n(v, w, s) select * from raw;
create index nv on n(v, w);
create index nw on n(w) where v % 2;
select count(*), sum(v), min(s), max(w) from n;
select w, count(*), group_concat(v, ',') from n group by w having count(*) > 24 order by w limit 5;
select a.w, count(*), sum(b.v) from n a join n b on a.v = b.v and a.id < b.id
	group by 1 order by 2 desc, 1 limit 10;
with recursive f(i, a, b) as
	(select 1, 0, 1 union all select i + 1, b, a + b from f where i < 80)
	select a from f where i = 80;
select id, v, sum(v) over (order by id rows 10 preceding), ntile(4) over (order by v, id)
	from n where id % 5000 = 0;
begin;
update n set s = s || s || id where id % 3 = 0;
delete from n where id % 7 = 0;
savepoint x; delete from n; rollback to x;
commit;
select count(*), sum(length(s)) from n;
create virtual table t using fts5(w, s);
insert into t select w, s from n where id < 20000;
select count(*) from t where t match 'w1f OR uvwxyz*';
select json_array_length(json_group_array(json_object('w', w, 'v', v))) from n;
select hex(zeroblob(8)), length(randomblob(100000)), length(quote(zeroblob(1000000)));
create trigger tr after insert on n begin update n set w = upper(w) where id = new.id; end;
insert into n(v, w, s) select v, w, s from n where id < 5000;
select count(*) from n where w glob 'W*';
vacuum;
reindex;
pragma integrity_check;
insert into t(t) values ('integrity-check');
.mode csv
select * from n order by w, id limit 40000;
END
{
	same "on disk" sh -c 'sqlite3 -bail test.db <"$0" >out && sha256sum out && head -n 60 out' \
		"$data/queries"
	same "in memory" sh -c 'sqlite3 -bail :memory: <"$0" >out && sha256sum out &&
		head -n 60 out' "$data/queries"
	same "dump and load" sh -c 'sqlite3 a.db <"$0" >x && sqlite3 a.db .dump >dump &&
		sqlite3 b.db <dump && sqlite3 b.db .dump | cmp - dump &&
		sha256sum dump' "$data/queries"
}
done_testing
