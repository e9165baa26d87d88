# SPDX-License-Identifier: MIT
#
# What a vsftpd for anonymous users needs.

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
