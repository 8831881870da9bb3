#!/bin/sh
# SPDX-License-Identifier: MIT
#
# perl: hashes, regular expressions, closures, XS modules, interpreter threads and forks.

# shellcheck disable=SC2016 # what is in single quotes is for another program
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need perl perl
bound perl
export PERL_HASH_SEED=0

cat >"$data/data.pl" <<'END'
use strict; use warnings;
use Digest::SHA 'sha256_hex';
use List::Util qw(reduce sum);
use Storable qw(dclone freeze thaw);
my ($x, %h, @a) = (1);
for my $i (1 .. 150000) {
	$x = ($x * 16807) % 2147483647;
	my $k = sprintf '%x', $x % 30011;
	push @{ $h{$k} }, $i;
	delete $h{sprintf '%x', $x % 977} if $i % 5 == 0;
	push @a, $k x ($x % 9) if $i % 3 == 0;
}
print scalar(keys %h), ' ', sum(map { scalar @$_ } values %h), "\n";
my $copy = thaw(freeze(dclone(\%h)));
print sha256_hex(join ',', map { "$_=@{$copy->{$_}}" } sort keys %$copy), "\n";
my $text = join ' ', @a;
my $n = () = $text =~ /\b(\w)(\w)\w*\2\1\b/g;
(my $sub = $text) =~ s/(\d+)([a-f])/\U$2\E$1/g;
print "$n ", length $text, ' ', sha256_hex($sub), "\n";
my @subs = map { my $i = $_; sub { $i += shift; $i } } 1 .. 10000;
print sum(map { $_->(2) } @subs), ' ', (reduce { $a ^ $b } map { length } @a), "\n";
my @sorted = sort { $a->[1] <=> $b->[1] || $a->[0] cmp $b->[0] } map { [$_, length] } @a;
print join(',', $sorted[5]->@*, $sorted[-5]->@*), "\n";
my $s = ''; $s .= chr($_ % 0x3000 + 32) for 1 .. 100000; utf8::encode($s);
print length $s, ' ', sha256_hex($s), "\n";
print eval { die { code => 42, text => 'x' x 1000 } } // $@->{code}, "\n";
local $_ = pack 'N/a* w n*', 'packed', 300, 1 .. 100; print unpack('H*', $_), "\n";
END
cat >"$data/processes.pl" <<'END'
use strict; use warnings; use Config;
$| = 1;
if ($Config{useithreads}) {
	require threads; require threads::shared;
	my $work = sub {
		my ($n, %h) = @_;
		$h{$_ % 300} .= $_ for 1 .. 20000;
		return length(join '', map { $h{$_} } sort keys %h) + $n;
	};
	my @t = map { threads->create($work, $_) } 1 .. 6;
	print join(' ', map { $_->join } @t), "\n";
}
for my $i (1 .. 60) {
	my $pid = open(my $kid, '-|') // die;
	if (!$pid) { my @l = map { 'l' x $_ } 1 .. 500; print scalar(@l) + $i, "\n"; exit $i % 3 }
	my $l = <$kid>; close $kid; print +($? >> 8), $l;
}
print `echo one; exit 2`, $? >> 8, "\n";
local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; my @a; push @a, 'x' x 100, splice(@a, 0, @a > 5000 ? 5000 : 0) && () while 1; };
print $@;
END
same "data structures" perl "$data/data.pl"
same "threads, forks, a signal within malloc" perl "$data/processes.pl"
same "one-liners" sh -c '
	seq 1 100000 | perl -ne "print if \$_ % 997 == 0" | perl -pe "s/(.)/<\$1>/g" |
	perl -0777 -ne "print length, qq( ), scalar reverse substr(\$_, 0, 30)"'
done_testing
