#!/bin/bash
# SPDX-License-Identifier: MIT
# Chromium with its sandbox on: renderers whose filter allows no getsockopt() at
# all, and ends them. A page is loaded that fetches from its script, over both
# families. Edge case 41.
. "$(dirname "$0")/lib.sh"

needs chromium python3 setpriv
fixed_ports 8080

# A page that a renderer completes, with what its script has fetched: whether the
# renderers are under a filter.
pages()
{
	cat <<-'END'
	import glob
	import http.server
	import socket
	import sys

	PAGE = b"""<!doctype html><p id="text">as it came</p><script>
	fetch("/data").then(answer => answer.text()).then(text => {
	    document.getElementById("text").textContent = "fetched " + text })
	</script>"""


	def filters():
	    """Yields the seccomp mode of each renderer."""
	    for folder in glob.glob("/proc/[0-9]*"):
	        try:
	            with open(folder + "/cmdline") as file:
	                if "--type=renderer" not in file.read():
	                    continue
	            with open(folder + "/status") as file:
	                yield file.read().split("Seccomp:")[1].split()[0]
	        except FileNotFoundError:
	            pass


	class Handler(http.server.BaseHTTPRequestHandler):
	    def do_GET(self):
	        body = PAGE
	        if self.path == "/data":
	            body = b"sandboxed" if set(filters()) == {"2"} else b"bare"
	        self.send_response(200)
	        self.send_header("Content-Type", "text/html")
	        self.send_header("Content-Length", str(len(body)))
	        self.end_headers()
	        self.wfile.write(body)


	class Server(http.server.ThreadingHTTPServer):
	    if ":" in sys.argv[1]:
	        address_family = socket.AF_INET6


	Server((sys.argv[1], 8080), Handler).serve_forever()
	END
}

# The sandbox is off for root: browse URL, as somebody else.
browse()
{
	HOME=$work/home client setpriv --reuid 65534 --regid 65534 \
		--clear-groups chromium --headless --disable-gpu \
		--disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync \
		--user-data-dir="$work/home/data" \
		--virtual-time-budget=30000 --dump-dom "$1" 2>>"$work/browser.log"
}

scenario()
{
	local loopback
	mkdir "$work/home"
	chown 65534:65534 "$work/home"
	pages >"$work/pages.py"
	for loopback in $loopbacks; do
		server "pages.$loopback" python3 "$work/pages.py" "$loopback"
	done
	for loopback in $loopbacks; do
		wait_until answers "$loopback"
		expect '<p id="text">fetched sandboxed</p>' text_of "$loopback"
	done
	grep -i 'crash\|sigsys\|seccomp' "$work/browser.log" &&
		complain "a process was ended"
}

answers()
{
	[ -n "$(ss -Hltn "src [$1]:8080")" ]
}

text_of()
{
	browse "http://$(in_url "$1"):8080/" | grep -o '<p id="text">[^<]*</p>'
}

program_test
