#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Interpreters and virtual machines: Ruby, PHP, Lua, Tcl, Guile, OCaml, SBCL, awk, Java, R, Octave.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=programs.sh
. "${0%/*}/programs.sh"

if program ruby ruby; then
	cat >"$data/a.rb" <<'END'
words = (1..60000).map { |i| (i * 2654435761 % 4294967296).to_s(36) }
h = Hash.new { |k, v| k[v] = [] }
words.each { |w| h[w[0, 2]] << w }
puts h.sort.first(5).map { |k, v| "#{k} #{v.size} #{v.max}" }
puts words.sort.each_slice(1000).map(&:first).join(" ").gsub(/(.)\1/) { $1.upcase }
t = 8.times.map { |i| Thread.new { Array.new(2000) { |j| "x" * (i * j % 97) }.join.size } }
p t.map(&:value), (2**4000).to_s.size, Marshal.load(Marshal.dump(h.to_a)).size
GC.start
p fork { exit! words.size % 251 }.then { |pid| Process.wait2(pid)[1].exitstatus }
END
	same "ruby: strings, threads, fork" ruby "$data/a.rb"
fi

if program php php-cli; then
	cat >"$data/a.php" <<'END'
<?php
$a = [];
for ($i = 0; $i < 100000; $i++) $a[] = md5((string)$i);
sort($a);
$b = array_count_values(array_map(fn($s) => substr($s, 0, 2), $a));
arsort($b);
echo count($b), " ", $a[500], " ", strlen(serialize($a)), "\n";
echo strlen(json_encode(array_chunk($a, 7))), " ", crc32(implode("", $a)), "\n";
echo preg_replace_callback('/([a-f])(\d)/', fn($m) => $m[2] . $m[1], $a[7]), "\n";
END
	same "php: arrays and strings" php -n "$data/a.php"
	same "php: every object straight from malloc" env USE_ZEND_ALLOC=0 php -n "$data/a.php"
fi

if program lua5.4 lua5.4; then
	cat >"$data/a.lua" <<'END'
local t, n = {}, 0
for i = 1, 200000 do t[i] = ("%x"):format(i * 7919 % 1000003) end
table.sort(t)
for _, s in ipairs(t) do n = (n * 31 + #s) % 1000007 end
print(#t, t[1], t[100000], n)
local co = {}
for i = 1, 500 do co[i] = coroutine.wrap(function() for j = 1, 50 do coroutine.yield(i * j) end end) end
for j = 1, 50 do for i = 1, 500 do n = n + co[i]() end end
print(n, #table.concat(t), collectgarbage("count") > 100)
END
	same "lua: tables, coroutines" lua5.4 "$data/a.lua"
fi

if program tclsh tcl; then
	cat >"$data/a.tcl" <<'END'
for {set i 0} {$i < 50000} {incr i} { dict lappend d [expr {$i * 7919 % 101}] "w$i" }
puts [llength [dict keys $d]]
puts [string length [join [dict values $d]]]
puts [lrange [lsort -dictionary [concat {*}[dict values $d]]] 0 20]
END
	same "tclsh: dictionaries and lists" tclsh "$data/a.tcl"
fi

if program guile guile-3.0; then
	same "guile: bignums and lists" guile --no-auto-compile -c \
		'(use-modules (srfi srfi-1)) (display (fold * 1 (iota 900 1))) (newline)
		(display (length (delete-duplicates (map (lambda (i) (modulo (* i i) 1009)) (iota 3000)))))'
fi

elf=$(command -v ocamlrun)
if program ocaml ocaml-nox; then
	cat >"$data/a.ml" <<'END'
let t = Hashtbl.create 16
let () = for i = 0 to 100000 do Hashtbl.replace t (i * 7919 mod 10007) (string_of_int i) done
let l = Hashtbl.fold (fun k v a -> (k, v) :: a) t [] |> List.sort compare
let () = Printf.printf "%d %s\n" (List.length l) (snd (List.nth l 5000))
let big = Bigarray.(Array1.create int c_layout 1000000)
let () = Bigarray.Array1.fill big 3; Printf.printf "%d\n" big.{999999}
END
	same "ocaml: hash tables, arrays outside its heap" ocaml "$data/a.ml"
fi

if program sbcl sbcl; then
	same "sbcl: lists and bignums" sbcl --noinform --non-interactive --eval \
		'(progn (print (integer-length (reduce (function *) (loop for i from 1 to 2000 collect i))))
		(print (length (sort (loop for i below 200000 collect (mod (* i 7919) 10007)) (function <)))))'
fi

numbers 100000 3 >"$data/numbers"
if program gawk gawk; then
	same "gawk: arrays and sorting" gawk '{ n[$2] += $1; s[$3] = s[$3] substr($2, 2) }
		END { k = asorti(n, x); for (i = 1; i <= k; i += 50) print x[i], n[x[i]]
		for (c in s) t += length(s[c]); print t }' "$data/numbers"
fi

if program java default-jre-headless; then
	if [ -d "$data" ] && get javac default-jdk-headless; then
		cat >"$data/A.java" <<'END'
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
import java.util.zip.*;
class A {
	public static void main(String[] a) throws Exception {
		Map<Integer, List<String>> m = IntStream.range(0, 300000)
			.mapToObj(i -> Integer.toString(i * 31 % 65537, 36))
			.collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.toList()));
		m.forEach((k, v) -> System.out.println(k + " " + v.size() + " " + Collections.max(v)));
		ExecutorService e = Executors.newFixedThreadPool(8);
		List<Future<Long>> l = new ArrayList<>();
		for (int i = 0; i < 64; i++) {
			byte[] b = new byte[100000 + i];
			for (int j = 0; j < b.length; j++) b[j] = (byte)(i * j);
			l.add(e.submit(() -> {
				Deflater d = new Deflater();
				d.setInput(b); d.finish();
				byte[] out = new byte[b.length + 100];
				int n = d.deflate(out);
				d.end();
				CRC32 c = new CRC32();
				c.update(out, 0, n);
				return c.getValue();
			}));
		}
		long sum = 0;
		for (Future<Long> f : l) sum += f.get();
		e.shutdown();
		System.out.println(sum + " " + java.nio.ByteBuffer.allocateDirect(10000000).capacity());
	}
}
END
		same "javac and java: streams, threads, zlib" sh -c \
			'javac -d . "$0" && java -Xmx256m -cp . A' "$data/A.java"
	else
		same "java: says its version" sh -c 'java -Xmx128m -version 2>&1'
	fi
fi

elf=/usr/lib/R/bin/exec/R
if LD_LIBRARY_PATH=/usr/lib/R/lib program R r-base-core; then
	same "R: regression, sorting, matrices" R --vanilla --slave -e \
		'set.seed(1); x <- rnorm(20000); y <- 3 * x + sin(seq_along(x));
		print(coef(lm(y ~ x))); m <- matrix(sin(1:90000), 300); print(sum(abs(m %*% m)));
		print(head(sort(table(substr(as.character(x), 1, 4)), decreasing = TRUE)));
		l <- list(); for (i in 1:20000) l[[i]] <- as.character(i); print(sum(nchar(unlist(l))))'
fi

elf=$(command -v octave-cli)
if program octave-cli octave; then
	same "octave: matrices and cells" octave-cli --no-history --norc --eval \
		'A = magic(200); disp(trace(A * A)); c = cell(1, 5000);
		for i = 1:5000 c{i} = repmat("x", 1, mod(i, 97)); end; disp(sum(cellfun(@numel, c)));
		s = struct(); for i = 1:500 s.(sprintf("f%d", i)) = ones(1, i); end
		disp(sum(structfun(@sum, s))); disp(norm(inv(hilb(6)), 1))'
fi
done_testing
