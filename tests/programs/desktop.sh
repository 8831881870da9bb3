#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Editors, an office suite and a browser: vim, emacs, LibreOffice, chromium, tmux.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

numbers 20000 9 >"$data/text"

if program vim vim; then
	same "vim: substitute, sort, undo, write" sh -c 'cp "$0" t &&
		TERM=dumb vim -u NONE -i NONE -n -es -c "%s/w\([0-9a-f]\)/<\1>/g" -c "sort n" -c "g/00/d" \
			-c "undo" -c "normal! Gyy1000p" -c "wq" t; cksum <t' "$data/text"
fi

if program emacs emacs-nox; then
	same "emacs: buffers, hash tables, regular expressions" env TEXT="$data/text" emacs -Q --batch --eval '(progn
		(insert-file-contents (getenv "TEXT"))
		(sort-lines nil (point-min) (point-max))
		(goto-char (point-min))
		(while (re-search-forward "w\\([0-9a-f]+\\)" nil t) (replace-match "<\\1>"))
		(let ((h (make-hash-table :test (quote equal))))
			(dotimes (i 50000) (puthash (format "%x" (% (* i 7919) 10007)) (make-string (% i 50) ?x) h))
			(princ (hash-table-count h)))
		(garbage-collect)
		(princ (md5 (buffer-string))) (terpri))'
fi

elf=/usr/lib/libreoffice/program/soffice.bin
if program soffice libreoffice-writer-nogui; then
	head -n 300 "$data/text" >"$data/doc.txt"
	same "libreoffice: text to OpenDocument and back" sh -c '
		soffice -env:UserInstallation="file://$PWD/profile" --headless --convert-to odt \
			--outdir . "$0" >/dev/null 2>&1 &&
		soffice -env:UserInstallation="file://$PWD/profile" --headless --convert-to txt:Text \
			--outdir out doc.odt >/dev/null 2>&1 && cat out/doc.txt' "$data/doc.txt"
fi

# It brings an allocator of its own for what it calls itself; its libraries use the process's.
if get chromium chromium; then
	cat >"$data/page.html" <<'END'
<!doctype html><title>t</title><body><script>
const m = new Map();
for (let i = 0; i < 100000; i++) m.set((i * 7919 % 10007).toString(36), [i, String(i)]);
const w = [...m.keys()].sort().filter((k, i) => i % 500 == 0);
for (const k of w) { const p = document.createElement("p"); p.textContent = k + m.get(k); document.body.append(p); }
</script>
END
	browser='chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --virtual-time-budget=3000 --dump-dom'
	same "chromium: a page of scripts" sh -c "$browser"' "file://$0" 2>/dev/null' "$data/page.html"
	try "chromium has the library in its address space" sh -c '
		LD_DEBUG=files LD_PRELOAD="$0" /usr/lib/chromium/chromium --version 2>&1 |
			grep -q "calling init: $0"' "$KMALLOC_SO"
else
	skip chromium "not installed (Debian: chromium)"
fi

if program tmux tmux; then
	same "tmux: a session of panes" sh -c 'TERM=xterm; export TERM
		t="tmux -L km$$ -f /dev/null"
		$t new-session -d -x 80 -y 24 "seq 1 2000; sleep 60" && sleep 1 &&
		for i in 1 2 3; do $t split-window -d "seq 1 500; sleep 60"; done
		$t capture-pane -p -t 0 -S -100 | tail -n 1 | cut -c 1-4
		$t list-panes | wc -l; $t kill-server'
fi
done_testing
