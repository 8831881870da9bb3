#!/bin/sh
# SPDX-License-Identifier: MIT
# perl.sh: perl builds hashes of arrays from text, sorts and joins them.
# what: perl: hashes of arrays, regular expressions, sort and join

prepare() {
	need perl perl
	cat >"$KB_DIR/work.pl" <<'PL'
my ($n) = @ARGV;
my (%h, $x);
$x = 12345;
for my $i (1 .. $n) {
	$x = ($x * 1103515245 + 12345) % 2147483648;
	my $word = "w" . ($x % 5003);
	push @{$h{$word}}, "$i:" . ("x" x ($x % 40));
	delete $h{"w" . ($i % 5003)} if $i % 11 == 0;
}
my $sum = 0;
for my $w (sort keys %h) {
	my $line = join ",", map { s/x+$//r } @{$h{$w}};
	my @parts = split /[,:]/, $line;
	$sum = ($sum * 31 + length($line) + @parts) % 1000000007;
}
print "$sum\n";
PL
	count 250000 >"$KB_DIR/n"
	perl "$KB_DIR/work.pl" "$(cat "$KB_DIR/n")" >"$KB_DIR/expected"
}

run() {
	PERL_HASH_SEED=0 bench perl work.pl "$(cat n)" >result
	same result expected
}

# shellcheck source=bench/programs/common.inc
. "$(dirname "$0")/common.inc"
main "$@"
