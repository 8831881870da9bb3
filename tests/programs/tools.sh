#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Everyday tools: tar, xz, zstd, bzip2, lz4, zip, openssl, gpg, curl from nginx on the loopback,
# rsync, ripgrep, jq, bc, less, file, strace, valgrind.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

numbers 200000 11 >"$data/text"

if program tar tar; then
	same "tar: pack and list" sh -c 'tar -C "$0" --sort=name --mtime=@0 --owner=0 --group=0 \
		--numeric-owner -cf a.tar src include && tar -tf a.tar && cksum <a.tar' "$KM_SRC"
fi
if program xz xz-utils; then
	same "xz: four threads, there and back" sh -c 'xz -T4 -6 -c "$0" >a.xz && cksum <a.xz &&
		xz -dc a.xz | cksum' "$data/text"
fi
if program zstd zstd; then
	same "zstd: levels and threads" sh -c 'for l in 1 9 19; do zstd -q -T3 -$l -c "$0" | cksum; done
		zstd -q -c "$0" | zstd -dc | cksum' "$data/text"
fi
if program bzip2 bzip2; then
	same "bzip2" sh -c 'bzip2 -c "$0" >a && cksum <a && bunzip2 -c a | cksum' "$data/text"
fi
if program lz4 lz4; then
	same "lz4" sh -c 'lz4 -q -c -9 "$0" >a && cksum <a && lz4 -q -dc a | cksum' "$data/text"
fi
if program zip zip && has unzip; then
	same "zip and unzip" sh -c 'zip -q -X a.zip "$0" && unzip -p a.zip | cksum' "$data/text"
fi
if program openssl openssl; then
	same "openssl: digests, ciphers, certificates" sh -c '
		openssl dgst -sha256 -sha512 <"$0" && openssl enc -aes-256-cbc -K 00 -iv 00 -in "$0" | cksum &&
		openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 2 -subj /CN=x 2>/dev/null &&
		openssl verify -CAfile c c' "$data/text"
fi
if program gpg gpg; then
	same "gpg: symmetric, there and back" sh -c 'mkdir -m 700 h && GNUPGHOME=$PWD/h && export GNUPGHOME
		gpg -q --batch --pinentry-mode loopback --passphrase x -c -o a "$0" 2>/dev/null &&
		gpg -q --batch --pinentry-mode loopback --passphrase x -d a 2>/dev/null | cksum
		gpgconf --kill all' "$data/text"
fi
if program rsync rsync; then
	same "rsync: a tree and its changes" sh -c 'rsync -a "$0/src/" a/ && rm a/mm/*.c && echo x >>a/lib/fmt.c &&
		rsync -a --checksum --delete --stats "$0/src/" a/ | grep "regular files" && diff -r "$0/src" a && echo same' "$KM_SRC"
fi
if program rg ripgrep; then
	same "rg: patterns in many files, in threads" rg --no-config --no-ignore -c --sort path \
		'(alloc|free)[a-z]*\(' "$KM_SRC/src"
	same "rg: in threads" sh -c 'rg --no-config --no-ignore -j4 "[a-f]{3}" "$0" | sort | cksum' "$data/text"
fi
if program jq jq; then
	same "jq: objects and arrays" sh -c 'awk "{ printf \"{\\\"a\\\":%d,\\\"b\\\":\\\"%s\\\"}\\n\", \$1, \$2 }" "$0" |
		head -n 50000 | jq -s "group_by(.b) | map({k: .[0].b, n: length, s: (map(.a) | add)}) | .[0:20]"' "$data/text"
fi
if program bc bc; then
	same "bc: a thousand digits" sh -c 'echo "scale=1000; 4*a(1); 2^4000; e(1)" | bc -l'
fi
if program file file; then
	same "file: of many kinds" sh -c 'file -b "$0"/*' "$KM_SRC"
fi
if program strace strace && strace -o /dev/null true 2>/dev/null; then
	same "strace: of a program" sh -c 'strace -f -o t sh -c "ls / >/dev/null; true" &&
		grep -c "execve(./" t'
fi

# The server on the library, the client too.
port=18791
if program curl curl && has nginx; then
	mkdir -p "$scratch/www/tmp"
	cp "$data/text" "$scratch/www/text"
	cat >"$scratch/www/conf" <<END
daemon off; worker_processes 2; pid $scratch/www/pid; error_log stderr;
events { worker_connections 64; }
http { access_log off; gzip on; gzip_types text/plain; default_type text/plain;
	client_body_temp_path $scratch/www/tmp; proxy_temp_path $scratch/www/tmp;
	fastcgi_temp_path $scratch/www/tmp; uwsgi_temp_path $scratch/www/tmp; scgi_temp_path $scratch/www/tmp;
	server { listen 127.0.0.1:$port; root $scratch/www; } }
END
	chmod -R a+rX "$scratch"
	start nginx nginx -c "$scratch/www/conf" -e stderr
	if until_ok 10 curl -s -o /dev/null "http://127.0.0.1:$port/text"; then
		same "curl from nginx: 40 transfers in parallel, compressed" sh -c '
			curl -s --compressed -Z --parallel-max 8 -o "f#1" "http://127.0.0.1:$0/text?[1-40]" &&
			cat f* | cksum' "$port"
		try "nginx has the library" mapped "$pid"
	else
		fail "nginx answers" "$log/nginx"
	fi
	stop_all
fi
done_testing
