#!/bin/bash
# SPDX-License-Identifier: MIT
#
# ssh and sshd with a key made for the run: a command, a forwarded port whose
# connection sshd makes, and a forwarded port that sshd chooses.

. "$(dirname "$0")/lib.sh"

needs ssh sshd ssh-keygen socat
fixed_ports 22 7000 7001

# The account of root may be locked on this machine: not in this run. sshd's
# folder for privilege separation is not there before a service made it.
prepare_accounts()
{
	sed 's/^root:[^:]*:/root:*:/' /etc/shadow >"$work/.shadow"
	chmod 600 "$work/.shadow"
	mount --bind "$work/.shadow" /etc/shadow
	mount -t tmpfs -o mode=755 none /run
	mkdir -m 755 /run/sshd
}

start_sshd()
{
	ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$work/user_key"
	cat >"$work/sshd_config" <<-END
	Port 22
	HostKey $work/host_key
	PidFile none
	AuthorizedKeysFile $work/user_key.pub
	StrictModes no
	UsePAM no
	PermitRootLogin yes
	PasswordAuthentication no
	AllowTcpForwarding yes
	MaxStartups 100
	LoginGraceTime 0
	END
	server sshd "$(command -v sshd)" -D -e -f "$work/sshd_config"
	wait_bound tcp 22
}

# The echo server's own port is fixed: it stays outside of Berth.
start_echo()
{
	socat TCP-LISTEN:7000,fork,reuseaddr PIPE 2>"$work/echo.log" &
	wait_bound tcp 7000 127.0.0.1
}

login()
{
	client ssh -F none -i "$work/user_key" -o IdentitiesOnly=yes \
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no \
		-o BatchMode=yes -o LogLevel="${level:-ERROR}" "$@"
}

remote_status()
{
	login "root@$1" 'printf "logged in"; exit 3' </dev/null
	echo ", $?"
}

# The port that sshd chose, once ssh has said so in its log.
chosen()
{
	sed -n 's/^Allocated port \([0-9]*\) for remote.*/\1/p' remote.log
}

# The remote end of the forwarding is a port of sshd's choice.
forward_back()
{
	level=INFO login -N -R "127.0.0.1:0:127.0.0.1:7000" root@127.0.0.1 \
		2>remote.log &
	local forwarder=$!
	wait_until eval '[ -n "$(chosen)" ]'
	for _ in 1 2 3; do
		echo "back and forth" | expect "back and forth" \
			client socat -t "$hang_seconds" - TCP:127.0.0.1:"$(chosen)"
	done
	kill $forwarder
	wait $forwarder 2>/dev/null || :
}

forward()
{
	login -N -L "127.0.0.1:7001:127.0.0.1:7000" root@127.0.0.1 &
	local forwarder=$!
	wait_bound tcp 7001 127.0.0.1
	for _ in 1 2 3; do
		echo "there and back" | expect "there and back" \
			client socat -t "$hang_seconds" - TCP:127.0.0.1:7001
	done
	kill $forwarder
	wait $forwarder 2>/dev/null || :
}

scenario()
{
	prepare_accounts
	start_sshd
	start_echo
	local address
	for address in $loopbacks; do
		for _ in 1 2 3; do
			expect "logged in, 3" remote_status "$address"
		done
	done
	served page 300000
	login root@127.0.0.1 'cat' <files/page | same_as page
	expect "through sshd" \
		login -W 127.0.0.1:7000 root@127.0.0.1 <<<"through sshd"
	forward
	forward_back
}

program_test
