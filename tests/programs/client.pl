# SPDX-License-Identifier: MIT
# Talks to the echo server in each way that Perl has.

use strict;
use warnings;

use IO::Socket::IP;
use Socket qw(:DEFAULT :addrinfo);

my ($port, @addresses) = @ARGV;
$| = 1;
alarm 50;

sub say_answer {
	my ($what, $address, $answer) = @_;
	print "$what $address $answer\n";
}

sub with_object {
	my ($address, @options) = @_;
	my $sock = IO::Socket::IP->new(PeerHost => $address,
		PeerPort => $port, @options) or return "failed: $@";
	$sock->syswrite("hello");
	$sock->sysread(my $answer, 100);
	return $answer;
}

sub address_of {
	my ($address, $to, $type) = @_;
	my ($error, $info) = getaddrinfo($address, $to,
		{ flags => AI_NUMERICHOST, socktype => $type });
	die $error if $error;
	return ($info->{family}, $info->{addr});
}

sub with_calls {
	my ($address) = @_;
	my ($family, $packed) = address_of($address, $port, SOCK_STREAM);
	socket(my $sock, $family, SOCK_STREAM, 0) or die "socket: $!";
	connect($sock, $packed) or return "failed: $!";
	syswrite($sock, "hello");
	sysread($sock, my $answer, 100);
	return $answer;
}

sub with_datagram {
	my ($address, $bound) = @_;
	my ($family, $packed) = address_of($address, $port, SOCK_DGRAM);
	socket(my $sock, $family, SOCK_DGRAM, 0) or die "socket: $!";
	if ($bound) {
		my (undef, $any) = address_of($address, 0, SOCK_DGRAM);
		bind($sock, $any) or return "failed: $!";
	}
	send($sock, "hello", 0, $packed) or return "failed: $!";
	recv($sock, my $answer, 100, 0);
	return $answer;
}

sub with_own_server {
	my ($address) = @_;
	my $server = IO::Socket::IP->new(LocalHost => $address,
		LocalPort => 0, Listen => 5, Type => SOCK_STREAM)
		or return "failed: $@";
	my $client = IO::Socket::IP->new(PeerHost => $address,
		PeerPort => $server->sockport, Type => SOCK_STREAM)
		or return "failed: $@";
	$client->syswrite("hello");
	$server->accept->sysread(my $answer, 100);
	return $answer;
}

for my $address (@addresses) {
	for (1 .. 5) {
		say_answer("tcp", $address,
			with_object($address, Type => SOCK_STREAM));
		say_answer("tcp bound", $address, with_object($address,
			Type => SOCK_STREAM, LocalHost => $address));
		say_answer("udp", $address,
			with_object($address, Type => SOCK_DGRAM));
		say_answer("connect", $address, with_calls($address));
		say_answer("send", $address, with_datagram($address, 0));
		say_answer("bind, send", $address, with_datagram($address, 1));
		say_answer("own server", $address, with_own_server($address));
	}
}
