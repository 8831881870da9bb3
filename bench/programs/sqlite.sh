#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite.sh: sqlite3 on a database in memory: inserts, an index, joins, deletes, vacuum.
# what: sqlite3: inserts, index, join, delete, vacuum

prepare() {
	need sqlite3 sqlite3
	n=$(count 120000)
	cat >"$KB_DIR/work.sql" <<SQL
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL, tag TEXT);
WITH RECURSIVE seq(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM seq WHERE i < $n)
INSERT INTO item SELECT i, printf('item-%08x', (i * 2654435761) & 0xffffffff),
	(i * 7919) % 10007 / 100.0, 'tag' || (i % 97) FROM seq;
CREATE INDEX by_name ON item(name);
SELECT tag, count(*), round(sum(price), 2), max(name) FROM item GROUP BY tag ORDER BY tag;
SELECT count(*) FROM item a JOIN item b ON b.name = a.name WHERE a.id % 3 = 0;
SELECT count(DISTINCT substr(name, 6, 4)) FROM item;
DELETE FROM item WHERE id % 5 < 2;
VACUUM;
SELECT count(*), group_concat(DISTINCT tag) FROM item;
PRAGMA integrity_check;
SQL
	sqlite3 :memory: <"$KB_DIR/work.sql" >"$KB_DIR/expected"
}

run() {
	bench sqlite3 :memory: <work.sql >result
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
