# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# nginx as a web server, for the clients: start_nginx PORT serves $work/files.

start_nginx()
{
	mkdir -p "$work/files" "$work/nginx"
	cat >"$work/nginx.conf" <<-END
	worker_processes 2;
	daemon off;
	pid $work/nginx/pid;
	error_log stderr warn;
	events { worker_connections 512; }
	http {
		access_log off;
		client_body_temp_path $work/nginx/body;
		proxy_temp_path $work/nginx/proxy;
		fastcgi_temp_path $work/nginx/fastcgi;
		uwsgi_temp_path $work/nginx/uwsgi;
		scgi_temp_path $work/nginx/scgi;
		server {
			listen 127.0.0.1:$1;
			listen [::1]:$1;
			root $work/files;
		}
	}
	END
	[ "$loopbacks" != 127.0.0.1 ] ||
		sed -i '/::1/d' "$work/nginx.conf"
	server nginx nginx -c "$work/nginx.conf" -p "$work/nginx"
	wait_bound tcp "$1"
}
