# SPDX-License-Identifier: MIT
#
# What a vsftpd for anonymous users needs, and a session of a client.

# Writes $work/vsftpd.conf: for all, and the lines of standard input.
configure_vsftpd()
{
	mkdir "$work/empty"
	{
		cat <<-END
		background=NO
		listen=NO
		listen_ipv6=YES
		anonymous_enable=YES
		no_anon_password=YES
		local_enable=NO
		anon_root=$work/files
		ftp_username=guests
		nopriv_user=nobody
		secure_chroot_dir=$work/empty
		xferlog_enable=NO
		accept_timeout=$hang_seconds
		connect_timeout=$hang_seconds
		END
		cat
	} >"$work/vsftpd.conf"
	# The account that they are given need not exist on this machine.
	{
		cat /etc/passwd
		echo "guests:x:65533:65534::$work/files:/usr/sbin/nologin"
	} >"$work/.passwd"
	mount --bind "$work/.passwd" /etc/passwd
}

# A client gets a page and a listing: session active|passive ADDRESS PORT.
session()
{
	local mode=-p
	[ "$1" = active ] && mode=-A
	rm -f copy
	client tnftp "$mode" -a -n -V "$2" "$3" <<-END >session.log 2>&1
	user anonymous nobody@
	binary
	get page copy
	get page copy
	ls
	bye
	END
	local status=$?
	[ $status -eq 0 ] || complain "$1 session ends with $status"
	expect 1 grep -c ' page$' session.log
	same_as page <copy
}
