#!/bin/sh
# SPDX-License-Identifier: MIT
#
# git: a history with branches and a merge, clone, gc with threads, fsck. Names and dates are fixed,
# so the object names are the same.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need git git
bound "$(git --exec-path)/git"

export GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
export GIT_AUTHOR_DATE='1600000000 +0000' GIT_COMMITTER_DATE='1600000000 +0000'
cat >"$HOME/.gitconfig" <<'END'
[init]
	defaultBranch = main
[pack]
	threads = 4
[gc]
	auto = 0
[advice]
	detachedHead = false
END

numbers 40000 99 >"$data/lines"
cat >"$data/history" <<'END'
set -e
git init -q a
cd a
split -a 3 -l 40 "$1" f
git add .
git commit -qm first
for i in 1 2 3 4 5 6 7 8; do
	sed -i "${i}s/^/$i /" f?[$(echo $i | tr 1-8 a-h)j-m]?
	mkdir -p "dir$i/sub"
	cp faa[a-m] "dir$i/sub"
	git add -A
	git commit -qm "change $i"
done
git checkout -q -b side HEAD~4
sed -i '30s/$/ side/' faaa faab faac
git commit -qam side
git mv faad moved
git commit -qm moved
git checkout -q main
git merge -q -m merge side
git tag -a -m annotated v1
git log --format='%H %T %s' --graph
git log -p --stat -M HEAD~3.. | sha256sum
git blame faaa | sha256sum
git diff --patience HEAD~6 | sha256sum
git grep -c 'w1[0-9]*f' | sha256sum
cd ..
git clone -q --no-local a b
cd b
git -c gc.aggressiveWindow=30 gc -q --aggressive --prune=now
git fsck --full --strict 2>&1
git count-objects -v | grep -v size
git rev-list --objects --all | git cat-file --batch-check | sort | sha256sum
git checkout -q HEAD~5
git status --short
git ls-tree -r HEAD | sha256sum
git bundle create -q ../c.bundle --all
git clone -q ../c.bundle ../c
git -C ../c switch -q main
git -C ../c reset -q --hard HEAD^
git -C ../c rebase -q -X theirs --onto HEAD~3 HEAD~1
git -C ../c log -1 --format='%H %s'
git -C ../c archive v1 | tar t | sha256sum
cd ../a
git repack -adfq --depth=20 --window=10
git fsck
git rev-parse HEAD
END
same "init, commits, merge, clone, gc, fsck" sh "$data/history" "$data/lines"
done_testing
