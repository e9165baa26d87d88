/* SPDX-License-Identifier: MIT */
/*
 * The calls that bind a port below 1024 look the same with and without Berth.
 * Linked with libtirpc where it is present, for bindresvport_sa().
 * Edge case 13.
 */
#include "probe.h"

#include <netdb.h>
#include <unistd.h>

#ifdef WITH_TIRPC
int bindresvport_sa(int fd, struct sockaddr *address);
#else
int bindresvport(int fd, struct sockaddr_in *address);
#endif

/* libc itself leaves errno changed where a first port was taken. */
static int quietly(int result)
{
	if (result >= 0)
		errno = ERRNO_KEPT;
	return result;
}

static void report_port(const char *call, uint16_t port)
{
	report_text("%s says port %s", call, port_text(port));
}

static void four(void)
{
	struct address address = address_of("127.0.0.1", 0);
	int fd = open_kind(&kinds[TCP4]);

	REPORT(fd, quietly(bindresvport(fd, NULL)), "bindresvport NULL");
	REPORT(fd, quietly(bindresvport(fd, NULL)), "bindresvport again");
	REPORT(fd, listen(fd, 1), "listen");
	close(fd);
	fd = open_kind(&kinds[UDP4]);
	REPORT(fd, quietly(bindresvport(fd, &address.in)),
	       "bindresvport address");
	report_port("bindresvport", ntohs(address.in.sin_port));
	close(fd);
	fd = open_kind(&kinds[TCP4]);
	address.in.sin_port = htons(5700);
	REPORT(fd, quietly(bindresvport(fd, &address.in)), "bindresvport 5700");
	close(fd);
	fd = open_kind(&kinds[TCP4]);
	address.in.sin_family = AF_INET6;
	REPORT(fd, quietly(bindresvport(fd, &address.in)),
	       "bindresvport AF_INET6");
	address.in.sin_family = 999;
	REPORT(fd, quietly(bindresvport(fd, &address.in)), "bindresvport 999");
	close(fd);
	fd = open_kind(&kinds[TCP6]);
	REPORT(fd, quietly(bindresvport(fd, NULL)),
	       "bindresvport NULL, v6 socket");
	close(fd);
}

#ifdef WITH_TIRPC
static void any_family(void)
{
	for (const struct kind *kind = kinds; kind <= kinds + TCP6; kind++) {
		struct address address = loopback_of(kind, 0);
		int fd = open_kind(kind);

		REPORT(fd, quietly(bindresvport_sa(fd, &address.sa)),
		       "%s bindresvport_sa", kind->name);
		close(fd);
		fd = open_kind(kind);
		REPORT(fd, quietly(bindresvport_sa(fd, NULL)),
		       "%s bindresvport_sa NULL", kind->name);
		REPORT(fd, quietly(bindresvport_sa(fd, NULL)),
		       "%s bindresvport_sa again", kind->name);
		close(fd);
		fd = open_kind(kind);
		address.sa.sa_family = AF_UNIX;
		REPORT(fd, quietly(bindresvport_sa(fd, &address.sa)),
		       "%s bindresvport_sa AF_UNIX", kind->name);
		address.sa.sa_family = kind->family == AF_INET ? AF_INET6
							       : AF_INET;
		REPORT(fd, quietly(bindresvport_sa(fd, &address.sa)),
		       "%s bindresvport_sa other family", kind->name);
		close(fd);
	}
	REPORT(-1, quietly(bindresvport_sa(-1, NULL)), "bindresvport_sa -1");
}
#endif

static void remote_shell(void)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX, 999 };
	int port = IPPORT_RESERVED - 1, fd, other;

	REPORT(-1, fd = quietly(rresvport(&port)), "rresvport");
	report_port("rresvport", (uint16_t)port);
	REPORT(fd, listen(fd, 1), "listen");
	REPORT(-1, other = quietly(rresvport(&port)), "rresvport while taken");
	report_text("another port: %d", local_port(fd) != local_port(other));
	close(fd);
	close(other);
	for (size_t i = 0; i < 4; i++) {
		sa_family_t family = (sa_family_t)families[i];

		port = IPPORT_RESERVED - 1;
		REPORT(-1, fd = quietly(rresvport_af(&port, family)),
		       "rresvport_af %d", families[i]);
		report_port("rresvport_af", (uint16_t)port);
		close(fd);
	}
	static const int starts[] = { 0, 1, 511, 512, 1024, 70000, -1 };
	for (size_t i = 0; i < 7; i++) {
		port = starts[i];
		REPORT(-1, fd = quietly(rresvport(&port)), "rresvport from %d",
		       starts[i]);
		report_port("rresvport", local_port(fd));
		close(fd);
	}
}

static void no_privilege(void)
{
	int fd = open_kind(&kinds[TCP4]), port = IPPORT_RESERVED - 1;

	if (getuid())
		return;
	if (seteuid(65534))
		return;		/* a user namespace of one user */
	REPORT(fd, quietly(bindresvport(fd, NULL)),
	       "bindresvport unprivileged");
	REPORT(-1, quietly(rresvport(&port)), "rresvport unprivileged");
	REPORT(fd, bind_to(fd, address_of("127.0.0.1", 80)), "bind 80");
	REPORT(fd, bind_to(fd, address_of("127.0.0.1", 0)), "bind 0");
	must(seteuid(0), "seteuid");
	close(fd);
}

int main(void)
{
	int fd = must(dup(0), "dup");

	close(fd);
	four();
	remote_shell();
	REPORT(-1, quietly(bindresvport(-1, NULL)), "bindresvport -1");
	REPORT(-1, quietly(bindresvport(fd, NULL)), "bindresvport closed");
	REPORT(-1, quietly(bindresvport(FD_HUGE, NULL)), "bindresvport huge");
	REPORT(-1, quietly(bindresvport(0, NULL)), "bindresvport 0");
#ifdef WITH_TIRPC
	any_family();
#endif
	no_privilege();
	return 0;
}
