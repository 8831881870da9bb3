#!/bin/sh
# SPDX-License-Identifier: MIT
#
# node: buffers outside V8's heap, compression and digests on the thread pool, worker threads, a
# server that talks to itself, child processes.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need node nodejs
bound node

cat >"$data/objects.js" <<'END'
const crypto = require('crypto');
let x = 1;
const next = () => x = x * 16807 % 2147483647;
const map = new Map(), lists = {};
for (let i = 0; i < 200000; i++) {
	const k = 'k' + next() % 20011;
	map.set(k, (map.get(k) ?? '') + i % 10);
	(lists[k.slice(0, 3)] ??= []).push({ i, k });
	if (i % 7 === 0) map.delete('k' + i % 20011);
}
const text = JSON.stringify(lists);
console.log(map.size, text.length, crypto.createHash('sha256').update(text).digest('hex'));
console.log(JSON.stringify(JSON.parse(text)) === text, [...map.keys()].sort().slice(0, 5));
let kept = [], total = 0;
for (let i = 0; i < 20000; i++) {
	const b = Buffer.alloc(next() % 40000, i);
	if (i % 50 === 0) kept.push(b);
	total += b.length ? b[b.length - 1] : 0;
}
console.log(total, Buffer.concat(kept).length);
const re = /(\d+)([a-z]?)\1/g;
console.log(text.match(re).length, text.replace(/"i":/g, '').length, 3n ** 5000n % 1000000007n);
END
cat >"$data/threads.js" <<'END'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto'), http = require('http'), zlib = require('zlib');
const { execFile } = require('child_process'), { promisify } = require('util');
const gzip = promisify(zlib.gzip), gunzip = promisify(zlib.gunzip);
const brotli = promisify(zlib.brotliCompress);

if (!isMainThread) {
	const b = new Uint8Array(new SharedArrayBuffer(1000));
	const a = [];
	for (let i = 0; i < 50000; i++) a.push({ n: i * workerData, s: 'w'.repeat(i % 30) });
	parentPort.postMessage([workerData, a.reduce((t, o) => t + o.n + o.s.length, 0), b.length]);
} else (async () => {
	const data = Buffer.from(Array.from({ length: 60000 }, (_, i) => i * i % 251));
	const part = i => data.subarray(i);
	const round = async i => (await gunzip(await gzip(part(i)))).equals(part(i));
	const rounds = Array.from({ length: 100 }, (_, i) => round(i));
	console.log((await Promise.all(rounds)).every(Boolean));
	console.log((await brotli(data)).length);
	console.log(crypto.scryptSync('p', 's', 32, { N: 4096 }).toString('hex'));
	const keys = await Promise.all([1, 2, 3, 4, 5, 6].map(i =>
		promisify(crypto.pbkdf2)('key' + i, 'salt', 2000, 32, 'sha512')));
	console.log(keys.map(k => k.toString('hex')).join('\n'));
	const thread = workerData => new Promise((done, fail) => {
		const w = new Worker(__filename, { workerData });
		w.on('message', done).on('error', fail);
	});
	for (let round = 0; round < 3; round++) {
		const results = await Promise.all([1, 2, 3, 4].map(thread));
		console.log(results.map(r => r.join(':')).join(' '));
	}
	const server = http.createServer((q, r) => q.pipe(r));
	const send = i => new Promise((done, fail) => {
		const { port } = server.address();
		const q = http.request({ port, host: '127.0.0.1', method: 'POST' }, r => {
			let n = 0;
			r.on('data', c => n += c.length).on('end', () => done(n));
		});
		q.on('error', fail).end(Buffer.alloc(i * 997, 'n'));
	});
	server.listen(0, '127.0.0.1', async () => {
		let sum = 0;
		for (let i = 0; i < 20; i++) {
			const requests = Array.from({ length: 16 }, (_, j) => send(i + j));
			for (const n of await Promise.all(requests))
				sum += n;
		}
		console.log(sum);
		server.close();
		const echo = i => promisify(execFile)('echo', ['child', i]);
		const out = await Promise.all([1, 2, 3].map(echo));
		console.log(out.map(o => o.stdout.trim()).join());
	});
})();
END
same "objects and buffers" node "$data/objects.js"
same "thread pool, workers, sockets, children" node "$data/threads.js"
done_testing
