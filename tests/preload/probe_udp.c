/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets get their port at the first call that needs one, and look
 * the same with and without Berth. Edge cases 15, 27, 29 and 66.
 */
#include "probe.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OPEN_PORT 5300
#define OTHER_PORT 5301
#define CLOSED_PORT 5302

static char payload[] = "x";

static void send_first(const struct kind *kind)
{
	int fd = open_kind(kind);

	REPORT(fd, sendto(fd, "x", 1, 0, NULL, 0), "%s sendto nowhere",
	       kind->name);
	close(fd);
	fd = open_kind(kind);
	REPORT(fd, send_to(fd, loopback_of(kind, OPEN_PORT), 0), "%s sendto",
	       kind->name);
	REPORT(fd, send_to(fd, loopback_of(kind, OTHER_PORT), 0),
	       "%s sendto elsewhere", kind->name);
	REPORT(fd, sendto(fd, "x", 1, 0, NULL, 0), "%s sendto nowhere, bound",
	       kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind after sendto",
	       kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)),
	       "%s connect after sendto", kind->name);
	REPORT(fd, sendto(fd, "x", 1, 0, NULL, 0), "%s sendto connected",
	       kind->name);
	REPORT(fd, sendto(fd, "", 0, 0, NULL, 0), "%s sendto nothing",
	       kind->name);
	close(fd);
}

static void send_flags(const struct kind *kind)
{
	static const int flags[] = {
		MSG_DONTWAIT | MSG_NOSIGNAL, MSG_OOB, MSG_CONFIRM,
		MSG_DONTROUTE, MSG_MORE, MSG_EOR, MSG_FASTOPEN, -1,
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		int fd = open_kind(kind);

		REPORT(fd, send_to(fd, loopback_of(kind, OPEN_PORT), flags[i]),
		       "%s sendto flags %#x", kind->name, (unsigned)flags[i]);
		close(fd);
	}
}

/* Edge case 27. */
static void send_addresses(const struct kind *kind)
{
	static const int lengths[] = { 0, 1, 2, 8, 15, 16, 23, 24, 28, 32, 128,
				       129, -1 };
	struct address address = loopback_of(kind, OPEN_PORT);
	char odd[sizeof(address) + 1];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		int fd = open_kind(kind);

		REPORT(fd, sendto(fd, "x", 1, 0, &address.sa,
				  (socklen_t)lengths[i]),
		       "%s sendto length %d", kind->name, lengths[i]);
		REPORT(fd, sendto(fd, "x", 1, 0, NULL, (socklen_t)lengths[i]),
		       "%s sendto NULL length %d", kind->name, lengths[i]);
		close(fd);
	}
	int fd = open_kind(kind);
	void *end = page_end(&address, address.length, false);
	memcpy(odd + 1, &address, sizeof(address));
	REPORT_WILD(fd, sendto(fd, "x", 1, 0, end, 128),
		    "%s sendto 128 at the page", kind->name);
	REPORT_WILD(fd, sendto(fd, "x", 1, 0, (void *)-1L, 16),
		    "%s sendto to -1", kind->name);
	REPORT_WILD(fd, sendto(fd, (void *)1L, 1, 0, end, address.length),
		    "%s sendto from nowhere", kind->name);
	REPORT(fd, sendto(fd, "x", 1, 0, end, address.length),
	       "%s sendto read-only at the page", kind->name);
	REPORT(fd, sendto(fd, "x", 1, 0, (void *)(odd + 1), address.length),
	       "%s sendto unaligned", kind->name);
	close(fd);
}

static void send_peers(const struct kind *kind)
{
	static const char *const texts[] = {
		"127.0.0.1", "127.7.7.7", "0.0.0.0", "192.0.2.1", "224.0.0.1",
		"255.255.255.255", "127.255.255.255", "::", "::1",
		"::ffff:127.0.0.1", "2001:db8::1", "fe80::1", "ff02::1",
	};
	static const uint16_t ports[] = { OPEN_PORT, CLOSED_PORT, 0 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) * 3; i++) {
		struct address peer = address_of(texts[i / 3], ports[i % 3]);
		int fd = open_kind(kind), one = open_kind(kind);

		REPORT(fd, send_to(fd, peer, 0), "%s sendto [%s]:%u",
		       kind->name, texts[i / 3], ports[i % 3]);
		REPORT(one, connect_to(one, peer), "%s connect [%s]:%u",
		       kind->name, texts[i / 3], ports[i % 3]);
		peer.sa.sa_family = AF_UNSPEC;
		REPORT(fd, send_to(fd, peer, 0), "%s sendto AF_UNSPEC",
		       kind->name);
		peer.sa.sa_family = 999;
		REPORT(fd, send_to(fd, peer, 0), "%s sendto family 999",
		       kind->name);
		close(fd);
		close(one);
	}
}

/* Edge case 66. */
static void connect_again(const struct kind *kind)
{
	struct address none = { .length = sizeof(struct sockaddr_in) };
	int fd = open_kind(kind);

	none.sa.sa_family = AF_UNSPEC;
	REPORT(fd, connect_to(fd, none), "%s unspec, fresh", kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OPEN_PORT)), "%s connect",
	       kind->name);
	REPORT(fd, connect_to(fd, loopback_of(kind, OTHER_PORT)),
	       "%s connect elsewhere", kind->name);
	REPORT(fd, connect_to(fd, none), "%s unspec", kind->name);
	REPORT(fd, send_to(fd, loopback_of(kind, OPEN_PORT), 0),
	       "%s sendto after unspec", kind->name);
	REPORT(fd, connect_to(fd, none), "%s unspec again", kind->name);
	REPORT(fd, bind_to(fd, loopback_of(kind, 5303)), "%s bind after unspec",
	       kind->name);
	close(fd);

	fd = open_kind(kind);
	REPORT(fd, connect_to(fd, loopback_of(kind, CLOSED_PORT)),
	       "%s connect, nobody there", kind->name);
	REPORT(-1, send(fd, "x", 1, 0), "%s send, nobody there", kind->name);
	close(fd);
}

static void send_messages(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct msghdr to_peer = { .msg_name = &peer, .msg_iov = &part,
				  .msg_namelen = peer.length, .msg_iovlen = 1 };
	struct msghdr to_none = { .msg_iov = &part, .msg_iovlen = 1 };
	struct msghdr shorter = to_peer, longer = to_peer, nowhere = to_peer;
	struct msghdr empty = { .msg_name = &peer, .msg_namelen = peer.length };
	struct { const char *name; const struct msghdr *header; } cases[] = {
		{ "to a peer", &to_peer }, { "to nobody", &to_none },
		{ "short name", &shorter }, { "long name", &longer },
		{ "bad name", &nowhere }, { "no parts", &empty },
		{ "NULL", NULL }, { "1", (void *)1L },
		{ "at the page", page_end(&to_peer, sizeof(to_peer), false) },
		{ "beyond the page", page_end(&to_peer, 16, false) },
	};

	shorter.msg_namelen = 8;
	longer.msg_namelen = 4096;
	nowhere.msg_name = (void *)-1L;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int fd = open_kind(kind);

		REPORT_WILD(fd, sendmsg(fd, cases[i].header, 0),
			    "%s sendmsg %s", kind->name, cases[i].name);
		REPORT(fd, sendmsg(fd, &to_peer, MSG_NOSIGNAL),
		       "%s sendmsg after %s", kind->name, cases[i].name);
		close(fd);
	}
}

static void send_many(const struct kind *kind)
{
	struct address peer = loopback_of(kind, OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct msghdr header = { .msg_name = &peer, .msg_iov = &part,
				 .msg_namelen = peer.length, .msg_iovlen = 1 };
	struct mmsghdr good[3] = { { header, 0 }, { header, 0 },
				   { header, 0 } };
	struct mmsghdr second_bad[3] = { { header, 0 }, { { 0 }, 0 },
					 { header, 0 } };
	struct mmsghdr *cases[] = { good, second_bad, second_bad + 1, NULL,
				    (void *)1L,
				    page_end(good, sizeof(*good), false) };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static const unsigned int counts[] = { 0, 1, 2, 3 };

		for (size_t j = 0; j < 4; j++) {
			int fd = open_kind(kind);

			REPORT_WILD(fd, sendmmsg(fd, cases[i], counts[j], 0),
				    "%s sendmmsg %zu, %u", kind->name, i,
				    counts[j]);
			close(fd);
		}
	}
	int fd = open_kind(kind);
	REPORT(fd, sendmmsg(fd, good, 3, 0), "%s sendmmsg", kind->name);
	close(fd);
	report_text("%s lengths %u %u %u", kind->name, good[0].msg_len,
		    good[1].msg_len, good[2].msg_len);
}

static void bad_descriptors(void)
{
	int closed = must(dup(0), "dup"), ends[2];
	int file = must(open("/dev/null", O_RDWR), "/dev/null");
	struct address peer = loopback_of(&kinds[UDP4], OPEN_PORT);
	struct iovec part = { .iov_base = payload, .iov_len = 1 };
	struct mmsghdr many = { .msg_hdr = { .msg_name = &peer,
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_namelen = peer.length } };

	must(pipe(ends), "pipe");
	close(closed);
	const int fds[] = { -1, closed, FD_HUGE, file, ends[0], ends[1] };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		REPORT(-1, send_to(fds[i], peer, 0), "sendto bad fd %zu", i);
		REPORT(-1, sendto(fds[i], NULL, 0, 0, NULL, 0),
		       "sendto bad fd %zu, NULL", i);
		REPORT(-1, sendmsg(fds[i], &many.msg_hdr, 0),
		       "sendmsg bad fd %zu", i);
		REPORT_WILD(-1, sendmsg(fds[i], NULL, 0),
			    "sendmsg bad fd %zu, NULL", i);
		REPORT(-1, sendmmsg(fds[i], &many, 1, 0), "sendmmsg bad fd %zu",
		       i);
		REPORT(-1, sendmmsg(fds[i], NULL, 1, 0),
		       "sendmmsg bad fd %zu, NULL", i);
		REPORT(-1, sendmmsg(fds[i], &many, 0, 0),
		       "sendmmsg bad fd %zu, none", i);
	}
	close(file);
	close(ends[0]);
	close(ends[1]);
}

/* Options that meet a port: broadcast, V6ONLY, MSG_* on a too large message. */
static void send_odd(const struct kind *kind)
{
	static char large[70000];
	struct address peer = loopback_of(kind, OPEN_PORT);
	int fd = open_kind(kind);

	REPORT(fd, sendto(fd, large, sizeof(large), 0, &peer.sa, peer.length),
	       "%s sendto 70000", kind->name);
	close(fd);
	fd = open_kind(kind);
	set_int(fd, SOL_SOCKET, SO_BROADCAST, 1);
	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	REPORT(fd, send_to(fd, address_of("127.255.255.255", OPEN_PORT), 0),
	       "%s sendto broadcast", kind->name);
	REPORT(fd, send_to(fd, address_of("::ffff:127.0.0.1", OPEN_PORT), 0),
	       "%s sendto mapped, v6only", kind->name);
	REPORT(fd, shutdown(fd, SHUT_RDWR), "%s shutdown", kind->name);
	close(fd);
	fd = open_kind(kind);
	set_int(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	REPORT(fd, bind_to(fd, loopback_of(kind, 0)), "%s bind without port",
	       kind->name);
	REPORT(fd, send_to(fd, peer, 0), "%s sendto after that", kind->name);
	close(fd);
}

int main(void)
{
	for (const struct kind *kind = &kinds[UDP4]; kind < kinds + N_KINDS;
	     kind++) {
		if (!kind_present(kind))
			continue;
		int server = start_server(kind, any_of(kind, OPEN_PORT));
		int other = start_server(kind, any_of(kind, OTHER_PORT));
		send_first(kind);
		send_flags(kind);
		send_addresses(kind);
		send_peers(kind);
		connect_again(kind);
		send_messages(kind);
		send_many(kind);
		send_odd(kind);
		close(server);
		close(other);
	}
	bad_descriptors();
	return 0;
}
