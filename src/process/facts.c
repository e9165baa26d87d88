/* SPDX-License-Identifier: MIT */
#include "process/facts.h"

#include "base/raw.h"
#include "kernel/endpoint.h"
#include "kernel/protocol.h"

struct fd_facts facts_of_new(int domain, int type, int ip_protocol)
{
	const int protocol = protocol_of_socket(domain, type, ip_protocol);

	if (protocol < 0)
		return (struct fd_facts){ .known = 1 };
	return (struct fd_facts){
		.known = 1,
		.covered = 1,
		.protocol = (unsigned int)protocol & 3,
		.ipv6 = domain == AF_INET6,
		.mptcp = ip_protocol == IPPROTO_MPTCP,
		.many = (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) ==
			SOCK_SEQPACKET,
	};
}

/* SO_DOMAIN, or else the family of the local address. */
static int ask_domain(int fd, int *domainp)
{
	const int result = raw_get_int_option(fd, SOL_SOCKET, SO_DOMAIN,
					      domainp);
	union socket_address address;
	socklen_t length = sizeof(address);

	if (!raw_is_filtered(result))
		return result;
	if (raw_getsockname(fd, &address.generic, &length) != 0)
		return result;
	*domainp = address.generic.sa_family;
	return 0;
}

/* SO_TYPE and SO_PROTOCOL; if one is not known, the other gives it. */
static int ask_type(int fd, int *typep, int *ip_protocolp)
{
	const int type = raw_get_int_option(fd, SOL_SOCKET, SO_TYPE, typep);
	const int ip_protocol = raw_get_int_option(fd, SOL_SOCKET, SO_PROTOCOL,
						   ip_protocolp);

	if (raw_is_filtered(type) && ip_protocol == 0)
		*typep = *ip_protocolp == IPPROTO_UDP ||
					 *ip_protocolp == IPPROTO_UDPLITE
				 ? SOCK_DGRAM
				 : SOCK_STREAM;
	else if (type < 0)
		return type;
	/* If the protocol is not known, the usual one for this type. */
	return ip_protocol < 0 && !raw_is_filtered(ip_protocol) ? ip_protocol
								: 0;
}

int facts_query(int fd, struct fd_facts *factsp)
{
	int domain = 0, type = 0, ip_protocol = 0;
	int result = ask_domain(fd, &domain);

	if (result == 0)
		result = ask_type(fd, &type, &ip_protocol);
	if (result == 0)
		*factsp = facts_of_new(domain, type, ip_protocol);
	return result;
}
