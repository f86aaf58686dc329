#!/usr/bin/perl
# Runs a command some of whose output goes to a pipe or a socket that is full and that nobody reads. Ends as the command does.
#
#   full-output.pl pipe|socket 'DESCRIPTORS' COMMAND…
use strict;
use warnings;
use Fcntl;
use POSIX ();
use Socket;

my ($kind, $descriptors, @command) = @ARGV;
my ($reader, $writer);
if ($kind eq 'socket') { socketpair($reader, $writer, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $! }
else { pipe($reader, $writer) or die $! }

# the last byte that goes in, then waiting for room as any writer does
my $flags = fcntl($writer, F_GETFL, 0);
fcntl($writer, F_SETFL, $flags | O_NONBLOCK);
for my $size (4096, 1) { 1 while defined syswrite($writer, 'x' x $size) }
fcntl($writer, F_SETFL, $flags);

my $pid = fork // die $!;
if (!$pid) {
  POSIX::dup2(fileno($writer), $_) // die $! for split / /, $descriptors;
  exec @command or die $!;
}
waitpid($pid, 0);
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
