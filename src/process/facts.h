/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of one descriptor's socket, and the lease that it has of its port.
 * System calls are made directly; errno is not touched.
 */

#include <stdint.h>

#include "map/ledger.h"

struct fd_facts {
	uint64_t known : 1;
	uint64_t covered : 1;	/* a socket of a protocol that Berth assigns */
	uint64_t has_port : 1;
	uint64_t has_address : 1;	/* bound to one, perhaps without a port */
	uint64_t protocol : 2;	/* enum protocol */
	uint64_t ipv6 : 1;
	uint64_t mptcp : 1;
	uint64_t many : 1;	/* SCTP: of many associations, SOCK_SEQPACKET */
	uint64_t own_range : 1;	/* the program set IP_LOCAL_PORT_RANGE */
	uint64_t unlocked : 1;	/* the port was not named: the kernel takes it back
				   with the connection */
	uint64_t engaged : 1;	/* a connect is told of the last one: see call.h */
	uint64_t pinned : 1;	/* a pin of Berth's is left on it */
	uint64_t hides_reuse : 1;	/* SO_REUSEADDR is Berth's, not the program's */
	uint64_t rests : 1;	/* the port rests when the lease ends */
	uint64_t ask_again : 1;	/* a vfork child has a socket of its own there */
	uint64_t use : 2;	/* enum use of the lease, USE_FREE = none */
	uint64_t plane : 8;
	uint64_t port : 16;
	uint64_t generation : 2;	/* of the process that took the lease */
	/* A number that the descriptors of one socket have in common, of which
	 * one has the lease; 0 = there is no other. */
	uint64_t copies : 17;
};

_Static_assert(sizeof(struct fd_facts) == sizeof(uint64_t), "one word");

/* What is not of the socket but of one descriptor's hold on it: the lease. */
static inline struct fd_facts fd_facts_without_lease(struct fd_facts facts)
{
	facts.use = USE_FREE;
	facts.plane = 0;
	facts.generation = 0;
	return facts;
}

/* Whether both have a port, and the same. */
static inline bool facts_same_port(const struct fd_facts *facts,
				   const struct fd_facts *other)
{
	return facts->has_port && other->has_port &&
	       facts->protocol == other->protocol && facts->port == other->port;
}

/* What socket(domain, type, protocol) makes, without a port yet. */
struct fd_facts facts_of_new(int domain, int type, int ip_protocol);

/*
 * The same of a socket that comes from elsewhere. Returns 0 or -errno: -ENOTSOCK,
 * -EBADF, or what raw_is_filtered() is for. Where a filter refuses one question,
 * another one answers it well enough.
 */
int facts_query(int fd, struct fd_facts *factsp);
