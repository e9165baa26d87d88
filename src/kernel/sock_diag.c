/* SPDX-License-Identifier: MIT */
#include "kernel/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/raw.h"

#define ALL_STATES UINT32_MAX
#define ANSWER_SIZE 16384 /* the kernel fills 8 to 32 KiB at a time */

/* IPPROTO_ of a protocol, in the enum's order. */
static const uint8_t protocols[N_PROTOCOLS] = {
	IPPROTO_TCP,
	IPPROTO_UDP,
	IPPROTO_UDPLITE,
	IPPROTO_SCTP,
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 diag;
};

/* The visitor of a listing, and whether it wants no more. */
struct listing {
	enum protocol protocol;
	kernel_socket_visit visit;
	void *context;
	bool ended;
};

/* In mapped memory: a hook may list sockets, on the program's stack. */
struct exchange {
	struct listing listing;
	struct request request;
	struct kernel_socket socket; /* that is visited */
	/* Netlink messages are aligned to 4 bytes, headers to more. */
	char answer[ANSWER_SIZE] __attribute__((aligned(16)));
};

static void read_message(const struct inet_diag_msg *message,
			 enum protocol protocol, struct kernel_socket *socketp)
{
	const struct inet_diag_sockid *id = &message->id;
	const int family = message->idiag_family;

	socketp->protocol = protocol;
	socketp->local = endpoint_of(family, id->idiag_src, id->idiag_if,
				     ntohs(id->idiag_sport));
	socketp->remote = endpoint_of(family, id->idiag_dst, id->idiag_if,
				      ntohs(id->idiag_dport));
	socketp->state = message->idiag_state;
	socketp->uid = message->idiag_uid;
	socketp->inode = message->idiag_inode;
}

static void visit_message(struct exchange *exchange,
			  const struct inet_diag_msg *message)
{
	struct listing *listing = &exchange->listing;

	read_message(message, listing->protocol, &exchange->socket);
	if (exchange->socket.local.port != 0 && !listing->ended)
		listing->ended = !listing->visit(&exchange->socket,
						 listing->context);
}

/* Why a dump ended: 0 at its end; else -errno, -ENOENT for a protocol that the
 * kernel lacks. */
static int read_end_of_dump(const struct nlmsghdr *header)
{
	int error = 0;

	if (header->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(header), sizeof(error));
	return error < 0 ? error : 0;
}

/* Returns 1 = there is more, 0 = the end, or -errno. */
static int read_answer(struct exchange *exchange, ssize_t size)
{
	const struct nlmsghdr *header = (const void *)exchange->answer;

	for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return read_end_of_dump(header);
		if (header->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			return error->error;
		}
		visit_message(exchange, NLMSG_DATA(header));
		if ((header->nlmsg_flags & NLM_F_MULTI) == 0)
			return 0;
	}
	return 1;
}

static int read_answers(int fd, struct exchange *exchange)
{
	int result = 1;

	while (result == 1) {
		const long n = raw_call(SYS_recvfrom, fd, exchange->answer,
					ANSWER_SIZE);

		if (n == -EINTR)
			continue;
		result = n <= 0 ? (n < 0 ? (int)n : -EIO)
				: read_answer(exchange, n);
		if (exchange->listing.ended)
			return 0;
	}
	return result;
}

/*
 * Sends the request and visits what the kernel answers. flags are NLM_F_*.
 */
static int ask(struct exchange *exchange, uint16_t flags)
{
	const int fd = raw_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				  NETLINK_SOCK_DIAG);
	int result;

	if (fd < 0)
		return fd;
	exchange->request.header = (struct nlmsghdr){
		.nlmsg_len = sizeof(exchange->request),
		.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = NLM_F_REQUEST | flags,
	};

	const long n = raw_call(SYS_sendto, fd, &exchange->request,
				sizeof(exchange->request));

	result = n < 0 ? (int)n : read_answers(fd, exchange);
	raw_close(fd);
	return result;
}

static int list_family(struct exchange *exchange, int family, uint16_t port)
{
	exchange->request.diag = (struct inet_diag_req_v2){
		.sdiag_family = (uint8_t)family,
		.sdiag_protocol = protocols[exchange->listing.protocol],
		.idiag_states = ALL_STATES,
		/* For the kernel, 0 means any state too. */
		.id.idiag_sport = htons(port),
	};
	return ask(exchange, NLM_F_DUMP);
}

int sock_diag_list(enum protocol protocol, uint16_t port,
		   kernel_socket_visit visit, void *context)
{
	struct exchange *exchange = raw_map_private(sizeof(*exchange));
	int result;

	if (exchange == NULL)
		return -ENOMEM;
	exchange->listing = (struct listing){ .protocol = protocol,
					      .visit = visit,
					      .context = context };
	result = list_family(exchange, AF_INET, port);
	if (result == 0 && !exchange->listing.ended)
		result = list_family(exchange, AF_INET6, port);
	raw_unmap(exchange, sizeof(*exchange));
	return result;
}

struct wanted {
	uint16_t remote_port;
	bool found;
};

/* Where there is no such connection, the kernel returns a listener. */
static bool compare(const struct kernel_socket *socket, void *context)
{
	struct wanted *wanted = context;

	wanted->found = socket->remote.port == wanted->remote_port;
	return false;
}

/* Mapped addresses are sent as IPv4 addresses: the kernel hashes them so. */
static int find_tcp(struct exchange *exchange, const struct endpoint *local,
		    const struct endpoint *remote)
{
	const bool ipv4 = endpoint_is_ipv4(remote);
	const size_t skip = ipv4 ? 12 : 0;
	struct inet_diag_sockid *id = &exchange->request.diag.id;

	exchange->request.diag = (struct inet_diag_req_v2){
		.sdiag_family = ipv4 ? AF_INET : AF_INET6,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = ALL_STATES,
		.id = {
			.idiag_sport = htons(local->port),
			.idiag_dport = htons(remote->port),
			.idiag_cookie = { INET_DIAG_NOCOOKIE,
					  INET_DIAG_NOCOOKIE },
		},
	};

	memcpy(id->idiag_src, local->address + skip, 16 - skip);
	memcpy(id->idiag_dst, remote->address + skip, 16 - skip);
	return ask(exchange, 0);
}

int sock_diag_has_tcp(const struct endpoint *local,
		      const struct endpoint *remote)
{
	struct wanted wanted = { .remote_port = remote->port };
	struct exchange *exchange = raw_map_private(sizeof(*exchange));
	int result;

	if (exchange == NULL)
		return -ENOMEM;
	exchange->listing = (struct listing){ .protocol = PROTOCOL_TCP,
					      .visit = compare,
					      .context = &wanted };
	result = find_tcp(exchange, local, remote);
	raw_unmap(exchange, sizeof(*exchange));
	return result < 0 && result != -ENOENT ? result : wanted.found;
}
