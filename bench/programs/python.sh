#!/bin/sh
# SPDX-License-Identifier: MIT
# python.sh: python3 builds and drops graphs of objects, dictionaries and strings.
# PYTHONMALLOC=malloc, or python's own pools would hide the allocator from all small objects.
# what: python3: object graphs, dictionaries, strings (PYTHONMALLOC=malloc)

prepare() {
	need python3 python3
	cat >"$KB_DIR/work.py" <<'PY'
import json
import sys


class Node:
    def __init__(self, key, left, right):
        self.key, self.left, self.right = key, left, right


def tree(depth, key=1):
    if depth == 0:
        return None
    return Node(str(key), tree(depth - 1, key * 2), tree(depth - 1, key * 2 + 1))


def weigh(node):
    return len(node.key) + weigh(node.left) + weigh(node.right) if node else 0


def main(n):
    total = 0
    for i in range(n):
        total += weigh(tree(13))
        words = {f"word-{(i * j) % 7919}": [j] * (j % 13) for j in range(9000)}
        total += len(json.dumps(words))
        total += len("".join(sorted(words)))
        table = [tuple(range(k % 17)) for k in range(20000)]
        table.sort(key=len)
        total += sum(map(len, table))
    print(total)


main(int(sys.argv[1]))
PY
	count 8 >"$KB_DIR/n"
	python3 -I "$KB_DIR/work.py" "$(cat "$KB_DIR/n")" >"$KB_DIR/expected"
}

run() {
	PYTHONMALLOC=malloc
	export PYTHONMALLOC
	bench python3 -S "$KB_DIR/work.py" "$(cat n)" >result
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
