#!/bin/sh
# SPDX-License-Identifier: MIT
# git.sh: git clones a generated repository, repacks it and checks it.
# what: git: clone, log, repack, fsck of a generated repository

isolated() {
	HOME=$KB_DIR GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_DATE='1700000000 +0000'
	GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export HOME GIT_CONFIG_NOSYSTEM GIT_AUTHOR_DATE GIT_COMMITTER_DATE
}

# A history for git fast-import: every commit changes some of 200 files.
history() {
	awk -v n="$1" 'BEGIN {
		srand(1)
		for (c = 1; c <= n; c++) {
			printf "commit refs/heads/main\ncommitter A <a@example.org> %d +0000\n", 1700000000 + c
			printf "data %d\nchange %06d\n", 13, c
			for (f = 0; f < 8; f++) {
				text = ""
				lines = 20 + int(rand() * 60)
				for (l = 0; l < lines; l++)
					text = text sprintf("line %d of %d: %d\n", l, c, int(rand() * 1000))
				printf "M 100644 inline dir%d/file%d\ndata %d\n%s\n", f, (c * 7 + f) % 25, length(text), text
			}
		}
	}'
}

prepare() {
	need git git
	isolated
	git init -q --bare -b main "$KB_DIR/origin"
	history "$(count 500)" | git -C "$KB_DIR/origin" fast-import --quiet
	git -C "$KB_DIR/origin" log --stat --format=%H >"$KB_DIR/expected"
}

run() {
	isolated
	rm -rf clone
	bench git clone -q --no-hardlinks --no-local "$KB_DIR/origin" clone
	bench git -C clone log --stat --format=%H >result
	bench git -C clone repack -q -a -d -f
	bench git -C clone fsck --full >/dev/null 2>&1
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
