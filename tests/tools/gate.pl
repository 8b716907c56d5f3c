#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# gate.pl ADDRESS TARGET BYTES FULL: passes each connection to ADDRESS on to TARGET, both HOST:PORT, until BYTES have gone
# that way over all of them. From then on a connection that has carried a megabyte or more stands still, that way, and
# the file FULL exists; the small ones, which carry commands, go on.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($address, $target, $bytes, $full) = @ARGV;
my $listener = IO::Socket::INET->new(LocalAddr => $address, Listen => 16, ReuseAddr => 1) or die "$address: $!";
my $ready = IO::Select->new($listener);
my (%peer, %to_target, %carried);
$SIG{PIPE} = 'IGNORE';
$| = 1;
print "ready\n";

sub drop
{
	my ($from) = @_;
	my $to = $peer{$from};
	$ready->remove($from, $to);
	delete @peer{$from, $to};
	close $_ for $from, $to;
}

sub pass
{
	my ($from) = @_;
	my $got = sysread $from, my $data, 262144;
	return drop($from) unless $got;
	for (my $put = 0; $put < $got;) {
		$put += syswrite($peer{$from}, $data, $got - $put, $put) // return drop($from);
	}
	return unless $to_target{$from};
	$carried{$from} += $got;
	$bytes -= $got;
	return if $bytes > 0;
	$ready->remove(grep { ($carried{$_} // 0) >= 1 << 20 } $ready->handles);
	open my $mark, '>', $full or die "$full: $!";
	close $mark;
}

while (my @handles = $ready->can_read) {
	for my $handle (@handles) {
		if ($handle == $listener) {
			my $near = $listener->accept or next;
			my $far = IO::Socket::INET->new(PeerAddr => $target);
			close($near), next unless $far;
			@peer{$near, $far} = ($far, $near);
			$to_target{$near} = 1;
			delete $carried{$near};
			$ready->add($near, $far);
		} elsif ($peer{$handle}) {
			pass($handle);
		}
	}
}
