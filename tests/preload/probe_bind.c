/* SPDX-License-Identifier: MIT */
/*
 * bind() and listen() in every state and with every bad argument look the same
 * with and without Berth. Edge cases 6, 16, 27, 28, 29, 31 and 33.
 */
#include "probe.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Edge case 27: length and placement of the address. */
static void bind_lengths(const struct kind *kind)
{
	static const int lengths[] = { 0, 1, 2, 8, 15, 16, 23, 24, 27, 28, 29,
				       32, 110, 128, 129, -1 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct address address = any_of(kind, 0);
		int fd = open_kind(kind);

		REPORT(fd, bind(fd, &address.sa, (socklen_t)lengths[i]),
		       "%s bind length %d", kind->name, lengths[i]);
		REPORT(fd, bind_to(fd, loopback_of(kind, 5100)),
		       "%s bind after length %d", kind->name, lengths[i]);
		close(fd);
	}
}

/* Edge case 27: memory that is odd, const, or ends at a page. */
static void bind_places(const struct kind *kind)
{
	struct address address = loopback_of(kind, 0);
	char odd[sizeof(address) + 1];
	int fd = open_kind(kind);

	memcpy(odd + 1, &address, sizeof(address));
	REPORT(fd, bind(fd, (struct sockaddr *)(odd + 1), address.length),
	       "%s bind unaligned", kind->name);
	close(fd);

	void *end = page_end(&address, address.length, false);
	fd = open_kind(kind);
	REPORT_WILD(fd, bind(fd, end, address.length + 1),
		    "%s bind beyond the page", kind->name);
	REPORT_WILD(fd, bind(fd, end, 128), "%s bind 128 at the page",
		    kind->name);
	REPORT(fd, bind(fd, NULL, address.length), "%s bind NULL", kind->name);
	REPORT(fd, bind(fd, NULL, 0), "%s bind NULL, 0", kind->name);
	REPORT_WILD(fd, bind(fd, (void *)-1L, address.length),
		    "%s bind (void *)-1", kind->name);
	REPORT(fd, bind(fd, end, address.length),
	       "%s bind read-only at the page", kind->name);
	close(fd);
}

static void bind_states(const struct kind *kind)
{
	int taken = open_kind(kind), fd = open_kind(kind);

	REPORT(taken, bind_to(taken, any_of(kind, 5101)), "%s bind any:5101",
	       kind->name);
	if (kind->type == SOCK_STREAM)
		REPORT(taken, listen(taken, 1), "%s listen", kind->name);
	REPORT(fd, bind_to(fd, any_of(kind, 5101)), "%s bind taken",
	       kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 5101)),
	       "%s bind taken by the wildcard", kind->name);
	REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind any:0 after that",
	       kind->name);
	REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind again", kind->name);
	REPORT(fd, bind_to(fd, any_of(kind, 5102)), "%s bind again, 5102",
	       kind->name);
	REPORT(fd, listen(fd, 5), "%s listen bound", kind->name);
	REPORT(fd, listen(fd, 7), "%s listen again", kind->name);
	REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind listening",
	       kind->name);
	close(fd);
	close(taken);

	fd = open_kind(kind);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind loopback:0",
	       kind->name);
	close(fd);
}

static void bind_families(const struct kind *kind)
{
	static const char *const texts[] = {
		"0.0.0.0", "127.0.0.1", "127.9.9.9", "192.0.2.1", "224.0.0.1",
		"255.255.255.255", "127.255.255.255", "::", "::1",
		"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:192.0.2.1",
		"2001:db8::1", "fe80::1", "ff02::1",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int fd = open_kind(kind);
		struct address address = address_of(texts[i], 0);

		REPORT(fd, bind_to(fd, address), "%s bind [%s]:0", kind->name,
		       texts[i]);
		close(fd);
		fd = open_kind(kind);
		address.sa.sa_family = AF_UNSPEC;
		REPORT(fd, bind_to(fd, address), "%s bind AF_UNSPEC [%s]:0",
		       kind->name, texts[i]);
		address.sa.sa_family = 999;
		REPORT(fd, bind_to(fd, address), "%s bind family 999 [%s]",
		       kind->name, texts[i]);
		close(fd);
	}
}

/* Edge case 6: the options that were set stay set. */
static void bind_reuse(const struct kind *kind)
{
	for (int bits = 0; bits < 8; bits++) {
		int fd = open_kind(kind);

		set_int(fd, SOL_SOCKET, SO_REUSEADDR, bits & 1);
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, bits >> 1 & 1);
		if (bits & 4 && kind->family == AF_INET6)
			set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		REPORT(fd, bind_to(fd, any_of(kind, 0)), "%s bind reuse %d",
		       kind->name, bits);
		REPORT(fd, listen(fd, 1), "%s listen reuse %d", kind->name,
		       bits);
		close(fd);
	}
}

/* Edge case 31: the port stays 0 until it is needed. */
static void bind_no_port(const struct kind *kind)
{
	int server = start_server(kind, loopback_of(kind, 5103));

	for (int last = 0; last < 3; last++) {
		int fd = open_kind(kind);

		REPORT(fd, set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1),
		       "%s IP_BIND_ADDRESS_NO_PORT", kind->name);
		REPORT(fd, bind_to(fd, loopback_of(kind, 0)),
		       "%s bind without port", kind->name);
		if (last == 0)
			REPORT(fd, connect_to(fd, loopback_of(kind, 5103)),
			       "%s connect after that", kind->name);
		else if (last == 1)
			REPORT(fd, listen(fd, 1), "%s listen after that",
			       kind->name);
		else
			REPORT(fd, bind_to(fd, loopback_of(kind, 0)),
			       "%s bind after that", kind->name);
		close(fd);
	}
	close(server);
}

/* Edge case 16. */
static void listen_unbound(const struct kind *kind)
{
	static const int backlogs[] = { 0, 1, -1, 0x7fffffff };

	for (size_t i = 0; i < sizeof(backlogs) / sizeof(*backlogs); i++) {
		int fd = open_kind(kind);

		REPORT(fd, listen(fd, backlogs[i]), "%s listen unbound, %d",
		       kind->name, backlogs[i]);
		REPORT(fd, listen(fd, backlogs[i]), "%s listen twice, %d",
		       kind->name, backlogs[i]);
		REPORT(fd, bind_to(fd, any_of(kind, 5104)),
		       "%s bind after listen, %d", kind->name, backlogs[i]);
		close(fd);
	}
}

static void listen_reuse(const struct kind *kind)
{
	for (int bits = 1; bits < 4; bits++) {
		int fd = open_kind(kind);

		set_int(fd, SOL_SOCKET, SO_REUSEADDR, bits & 1);
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, bits >> 1);
		REPORT(fd, listen(fd, 1), "%s listen unbound, reuse %d",
		       kind->name, bits);
		close(fd);
	}
}

static void bad_descriptors(void)
{
	int closed = must(dup(0), "dup"), ends[2];
	int file = must(open("/dev/null", O_RDWR), "/dev/null");
	int path = must(open("/", O_PATH), "O_PATH");

	must(pipe(ends), "pipe");
	close(closed);
	const int fds[] = { -1, closed, FD_HUGE, file, ends[0], ends[1], path,
			    -2147483647 - 1 };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		REPORT(-1, bind_to(fds[i], any_of(&kinds[TCP4], 0)),
		       "bind bad fd %zu", i);
		REPORT(-1, bind(fds[i], NULL, 0), "bind bad fd %zu, NULL", i);
		REPORT_WILD(-1, bind(fds[i], (void *)1L, 16),
			    "bind bad fd %zu, 1", i);
		REPORT(-1, listen(fds[i], 1), "listen bad fd %zu", i);
	}
	close(file);
	close(path);
	close(ends[0]);
	close(ends[1]);
}

/* Edge case 28: both families want one number. */
static void both_families(void)
{
	int four = open_kind(&kinds[TCP4]), six = open_kind(&kinds[TCP6]);
	int only = open_kind(&kinds[TCP6]);

	REPORT(four, bind_to(four, any_of(&kinds[TCP4], 5105)), "v4 5105");
	REPORT(four, listen(four, 1), "v4 5105 listen");
	REPORT(six, bind_to(six, any_of(&kinds[TCP6], 5105)), "v6 5105");
	set_int(only, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	REPORT(only, bind_to(only, any_of(&kinds[TCP6], 5105)), "v6only 5105");
	REPORT(only, bind_to(only, address_of("::ffff:127.0.0.1", 0)),
	       "v6only mapped");
	REPORT(only, listen(only, 1), "v6only listen");
	close(four);
	close(six);
	close(only);

	/* An automatic port on :: is free on 0.0.0.0 too. */
	six = open_kind(&kinds[TCP6]);
	four = open_kind(&kinds[TCP4]);
	set_int(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	REPORT(six, bind_to(six, any_of(&kinds[TCP6], 0)), "v6only automatic");
	REPORT(four, bind_to(four, any_of(&kinds[TCP4], local_port(six))),
	       "v4 on that number");
	close(six);
	close(four);
}

int main(void)
{
	for (const struct kind *kind = kinds; kind < kinds + N_KINDS; kind++) {
		if (!kind_present(kind))
			continue;
		bind_lengths(kind);
		bind_places(kind);
		bind_states(kind);
		bind_families(kind);
		bind_reuse(kind);
		bind_no_port(kind);
		listen_unbound(kind);
		listen_reuse(kind);
	}
	bad_descriptors();
	both_families();
	return 0;
}
