#!/bin/sh
# SPDX-License-Identifier: MIT
#
# bash: arrays, strings that grow, subshells by the hundred, traps, co-processes.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need bash bash
bound bash

cat >"$data/arrays" <<'END'
declare -a a
declare -A h
for ((i = 0; i < 30000; i++)); do
	a[i * 7 % 30011]=v$i
	h[k$((i % 500))]+=$((i % 10))
done
for ((i = 0; i < 30000; i += 3)); do unset "a[i]"; done
b=("${a[@]/#v/w}")
echo "${#a[@]} ${#b[@]} ${#h[@]} ${a[@]:100:5} ${b[-1]}"
for k in "${!h[@]}"; do echo "$k=${h[$k]}"; done | sort | md5sum
END
cat >"$data/strings" <<'END'
s=
for ((i = 0; i < 20000; i++)); do s+=$i,; done
echo ${#s} "${s:5000:40}" "${s//9,/x}" | md5sum
IFS=, read -ra parts <<<"$s"
echo "${#parts[@]} ${parts[@]: -3}"
[[ $s =~ (1234,)(.*)(4321,) ]] && echo ${#BASH_REMATCH[2]}
f()
{
	local n=$1 pad
	printf -v pad '%*s' 200 ''
	((n)) && f $((n - 1))
	((n % 50)) || echo "$n ${#pad}"
}
f 400
printf '%q\n' "a b"$'\n'"c" "${s:0:10}"
END
cat >"$data/processes" <<'END'
shopt -s lastpipe
for ((i = 0; i < 300; i++)); do r+=$(echo $((i * i)) | (read -r x; echo -n $((x % 7)))); done
echo "$r"
trap 'echo trapped; ((got++))' USR1
for i in 1 2 3; do kill -USR1 $BASHPID; done
echo "got $got"
coproc UP { while read -r l; do echo "${l^^}"; done; }
for w in one two three; do echo $w >&"${UP[1]}"; read -r l <&"${UP[0]}"; echo "$l"; done
exec {UP[1]}>&-
for i in {1..20}; do (s=$(seq 1 500); echo "$i ${#s}") & done | sort -n
wait
diff <(seq 1 100) <(seq 2 101)
mapfile -t lines < <(seq 1 20000)
echo ${#lines[@]} "${lines[19999]}"
(exit 3); echo $?
echo <<E "$(cat <<F
nested $(printf '%s' {a..e})
F
)"
E
END
for theme in arrays strings processes; do
	same "$theme" bash "$data/$theme"
done
same "a shell started for each line" sh -c 'for i in $(seq 1 150); do
	bash -c "echo \$((\$0 * 3))" $i; done'
done_testing
