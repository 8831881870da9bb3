#!/bin/sh
# SPDX-License-Identifier: MIT
#
# python3 with every object straight from malloc (PYTHONMALLOC=malloc): programs whose output is
# compared, and a part of Python's own test suite.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

limit=55
# the system's own, so that the test suite's package fits
need /usr/bin/python3 python3
python=$(readlink -f /usr/bin/python3)
bound "$python"
export PYTHONMALLOC=malloc PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1

cat >"$data/objects.py" <<'END'
import collections, functools, gc, json, pickle, random, re, string

rng = random.Random(42)
words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randrange(1, 40))) for _ in range(40000)]
count = collections.Counter(w[:2] for w in words)
print(count.most_common(5))
tree = collections.defaultdict(lambda: collections.defaultdict(list))
for i, w in enumerate(words):
    tree[w[0]][w[-1]].append((i, w))
text = json.dumps({k: dict(v) for k, v in sorted(tree.items())})
print(len(text), len(json.loads(text)), len(pickle.loads(pickle.dumps(words, 4))))
print(re.sub(r"([aeiou])\1+", lambda m: m[1].upper(), " ".join(words[:20000])).count("A"))

class Node:
    def __init__(self, n):
        self.me, self.kids = self, [Node(n - 1) for _ in range(3)] if n else []

for _ in range(10):
    Node(6)
print(gc.collect() > 0, gc.garbage)

@functools.lru_cache(None)
def ways(n, k):
    return 1 if n == 0 else 0 if n < 0 or k == 0 else ways(n - k, k) + ways(n, k - 1)

print(ways(300, 40))
big = 3 ** 20000
print(big.bit_length(), sum(map(int, hex(big)[2:50].encode())))
b = bytearray()
for i in range(200000):
    b += i.to_bytes(3, "big")
print(len(b), hash(bytes(b[-100:])) is not None, sorted(words)[::4000])
END
cat >"$data/threads.py" <<'END'
import concurrent.futures, hashlib, lzma, multiprocessing, os, queue, subprocess, threading, zlib

def work(i):
    d = bytes((i * j) % 251 for j in range(20000))
    d = zlib.decompress(zlib.compress(d)) + lzma.compress(d[:500])
    return hashlib.sha256(d).hexdigest()[:8]

def fork_and_work(i):
    return work(i + 1)

if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        print(*pool.map(work, range(100)))
    q, out = queue.Queue(), []
    def take():
        for _ in range(500):
            out.append(q.get())
    threads = [threading.Thread(target=take) for _ in range(4)]
    for t in threads: t.start()
    for i in range(2000): q.put(str(i) * 50)
    for t in threads: t.join()
    print(len(out), len(set(out)))
    for i in range(500):
        t = threading.Thread(target=lambda: [None] * i); t.start(); t.join()
    with multiprocessing.get_context("fork").Pool(4) as pool:
        print(*pool.map(fork_and_work, range(40)))
    stop = threading.Event()
    def churn():
        while not stop.is_set():
            [str(i) * 10 for i in range(100)]
    threads = [threading.Thread(target=churn) for _ in range(3)]
    for t in threads: t.start()
    codes = []
    for i in range(40):
        pid = os.fork()
        if pid == 0:
            os._exit(len([bytes(100) for _ in range(1000)]) % 256 == 232 and 7)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    print(codes, subprocess.run(["echo", "child"], capture_output=True).stdout)
    stop.set()
    for t in threads: t.join()
END
same "objects" "$python" "$data/objects.py"
same "threads and forks" "$python" "$data/threads.py"

modules='test_array test_bytes test_collections test_deque test_dict test_fork1 test_gc test_heapq
	test_iter test_itertools test_json test_list test_memoryview test_mmap test_pickle
	test_re test_set test_sort test_string test_struct test_threading
	test_threading_local test_tuple test_weakref test_zlib'
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
has_suite()
{
	"$python" -c 'import test.test_list' 2>/dev/null
}

if ! has_suite && [ "${KMALLOC_TEST_INSTALL:-yes}" != no ] && [ "$(id -u)" = 0 ]; then
	tap_apt "libpython$version-testsuite" >"$log/apt" 2>&1 </dev/null
fi
if has_suite; then
	# shellcheck disable=SC2086 # one word a module
	passes "$(echo $modules | wc -w) modules of its own test suite" \
		"$python" -m test -j2 --timeout 40 --tempdir . $modules
else
	skip "its own test suite" "libpython$version-testsuite is not installed"
fi
done_testing
