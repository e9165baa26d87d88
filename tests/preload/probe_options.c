/* SPDX-License-Identifier: MIT */
/*
 * setsockopt() and getsockopt() look the same with and without Berth, and what
 * a program has set stays as it set it.
 */
#include "probe.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* Inside ip_local_port_range, and outside every range that a driver gives. */
#define OWN_LOW 52000
#define OWN_HIGH 52003

static void options_bad(int fd, const char *name)
{
	int value = 1;
	socklen_t length = sizeof(value);

	REPORT(-1, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, 0),
	       "%s setsockopt length 0", name);
	REPORT(-1, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, -1U),
	       "%s setsockopt length -1", name);
	REPORT(-1, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, 4),
	       "%s setsockopt NULL", name);
	REPORT(-1, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)1L, 4),
	       "%s setsockopt 1", name);
	REPORT(-1, setsockopt(fd, -1, SO_REUSEADDR, &value, 4),
	       "%s setsockopt level -1", name);
	REPORT(-1, setsockopt(fd, SOL_SOCKET, 9999, &value, 4),
	       "%s setsockopt option 9999", name);
	REPORT(-1, setsockopt(fd, IPPROTO_SCTP, 100, &value, 4),
	       "%s setsockopt SCTP bindx", name);
	REPORT(-1, setsockopt(fd, IPPROTO_SCTP, 110, &value, 4),
	       "%s setsockopt SCTP connectx", name);
	REPORT(-1, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, NULL, &length),
	       "%s getsockopt NULL", name);
	REPORT(-1, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, NULL),
	       "%s getsockopt no length", name);
	REPORT(-1, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)-1L,
			      &length),
	       "%s getsockopt -1", name);
	REPORT(-1, getsockopt(fd, -1, SO_REUSEADDR, &value, &length),
	       "%s getsockopt level -1", name);
	REPORT(-1, getsockopt(fd, SOL_SOCKET, 9999, &value, &length),
	       "%s getsockopt option 9999", name);
	REPORT(-1, getsockopt(fd, IPPROTO_SCTP, 111, &value, &length),
	       "%s getsockopt SCTP connectx", name);
	length = 2;
	REPORT(-1, getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &length),
	       "%s getsockopt length 2", name);
	length = 100;
	REPORT(-1, getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length),
	       "%s getsockopt length 100", name);
	report_text("%s length is now %u", name, length);
}

static void reuse_at_any_time(const struct kind *kind)
{
	static const int options[] = { SO_REUSEADDR, SO_REUSEPORT };
	int server = start_server(kind, loopback_of(kind, 5600));

	for (size_t i = 0; i < 2; i++) {
		int fd = open_kind(kind);

		REPORT(fd, set_int(fd, SOL_SOCKET, options[i], 7), "%s on",
		       kind->name);
		REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind on",
		       kind->name);
		REPORT(fd, set_int(fd, SOL_SOCKET, options[i], 0),
		       "%s off bound", kind->name);
		REPORT(fd, connect_to(fd, loopback_of(kind, 5600)),
		       "%s connect off", kind->name);
		REPORT(fd, set_int(fd, SOL_SOCKET, options[i], 1),
		       "%s on connected", kind->name);
		close(fd);
		fd = open_kind(kind);
		REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind off",
		       kind->name);
		REPORT(fd, set_int(fd, SOL_SOCKET, options[i], 1),
		       "%s on bound", kind->name);
		close(fd);
	}
	close(server);
}

/* Where the kernel took no range of the socket's, any port may come. */
static void report_own(const struct kind *kind, int fd)
{
	uint32_t range = 0;
	socklen_t length = sizeof(range);
	uint16_t port = local_port(fd);

	if (getsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &range, &length) != 0 ||
	    range == 0)
		return;
	report_text("%s port in its own range: %d", kind->name,
		    port >= OWN_LOW && port <= OWN_HIGH);
}

/* DESIGN: "a program that sets IP_LOCAL_PORT_RANGE itself is left alone". */
static void own_range(const struct kind *kind)
{
	uint32_t range = OWN_LOW | (uint32_t)OWN_HIGH << 16;
	int server = start_server(kind, loopback_of(kind, 5601));

	for (int call = 0; call < 4; call++) {
		int fd = open_kind(kind);

		REPORT(fd, setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &range,
				      sizeof(range)),
		       "%s IP_LOCAL_PORT_RANGE", kind->name);
		if (call == 0)
			REPORT(fd, bind_to(fd, loopback_of(kind, 0)),
			       "%s bind, own range", kind->name);
		else if (call == 1)
			REPORT(fd, connect_to(fd, loopback_of(kind, 5601)),
			       "%s connect, own range", kind->name);
		else if (call == 2)
			REPORT(fd, listen(fd, 1), "%s listen, own range",
			       kind->name);
		else
			REPORT(fd, send_to(fd, loopback_of(kind, 5601),
					   MSG_NOSIGNAL),
			       "%s sendto, own range", kind->name);
		report_own(kind, fd);
		close(fd);
	}
	range = 3 | 2 << 16;
	REPORT(server, setsockopt(server, SOL_IP, IP_LOCAL_PORT_RANGE, &range,
				  sizeof(range)),
	       "%s reversed IP_LOCAL_PORT_RANGE", kind->name);
	close(server);
}

/* MPTCP sets it before it refuses it. */
static void own_range_connected(const struct kind *kind)
{
	const uint32_t range = OWN_LOW | (uint32_t)OWN_HIGH << 16;
	int server = start_server(kind, loopback_of(kind, 5602));
	int fd = open_kind(kind);

	must(connect_to(fd, loopback_of(kind, 5602)), "connect");
	REPORT(fd, setsockopt(fd, SOL_IP, IP_LOCAL_PORT_RANGE, &range,
			      sizeof(range)),
	       "%s IP_LOCAL_PORT_RANGE when connected", kind->name);
	close(fd);
	close(server);
}

static void bad_descriptors(void)
{
	int closed = must(dup(0), "dup"), ends[2];
	int file = must(open("/dev/null", O_RDWR), "/dev/null");

	must(pipe(ends), "pipe");
	close(closed);
	options_bad(-1, "-1");
	options_bad(closed, "closed");
	options_bad(FD_HUGE, "huge");
	options_bad(file, "file");
	options_bad(ends[0], "pipe");
	close(file);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (!kind_present(kind))
			continue;
		int fd = open_kind(kind);
		options_bad(fd, kind->name);
		close(fd);
		reuse_at_any_time(kind);
		own_range(kind);
		own_range_connected(kind);
	}
	bad_descriptors();
	return 0;
}
