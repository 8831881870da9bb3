#!/bin/sh
# SPDX-License-Identifier: MIT
# node.sh: node builds, prints and parses JSON and fills buffers.
# Most objects of JavaScript live in V8's own heap: this shows buffers, parser, compiler, start.
# what: node: JSON text, buffers, maps

prepare() {
	need node nodejs
	cat >"$KB_DIR/work.js" <<'JS'
const n = Number(process.argv[2]);
let sum = 0;
for (let i = 0; i < n; i++) {
	const rows = [];
	for (let k = 0; k < 3000; k++)
		rows.push({ id: k, name: `row-${(k * i) % 997}`, tags: [k % 7, k % 11] });
	const text = JSON.stringify(rows);
	sum += JSON.parse(text).length + text.length;
	const parts = [];
	for (let k = 0; k < 2000; k++)
		parts.push(Buffer.allocUnsafeSlow(16 + (k * 37) % 4000).fill(k & 255));
	sum += Buffer.concat(parts).length;
}
console.log(sum);
JS
	count 40 >"$KB_DIR/n"
	node "$KB_DIR/work.js" "$(cat "$KB_DIR/n")" >"$KB_DIR/expected"
}

run() {
	bench node work.js "$(cat n)" >result
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
