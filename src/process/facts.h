/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known about one descriptor's socket, and the lease that it has.
 * System calls are made directly; errno is not touched.
 */

#include <stdint.h>
#include <sys/socket.h>

#include "map/ledger.h"

struct fd_facts {
	uint64_t known : 1;
	/* A socket of a protocol to which Berth assigns ports */
	uint64_t covered : 1;
	uint64_t has_port : 1;
	/* Was bound to one, perhaps without a port; not one that only a
	 * connect shows */
	uint64_t has_address : 1;
	uint64_t protocol : 2; /* enum protocol */
	uint64_t ipv6 : 1;
	uint64_t mptcp : 1;
	uint64_t many : 1;	/* SCTP: of many associations, SOCK_SEQPACKET */
	uint64_t own_range : 1; /* the program set IP_LOCAL_PORT_RANGE */
	/* The port was not named by the program: the kernel takes it back
	 * with the connection */
	uint64_t unlocked : 1;
	/* The next connect returns the result of the last one: see call.h */
	uint64_t engaged : 1;
	uint64_t pinned : 1; /* a pin of Berth's is left on it */
	/* SO_REUSEADDR was set by Berth, not by the program */
	uint64_t hides_reuse : 1;
	/* The port rests after the release of the lease */
	uint64_t rests : 1;
	/* A vfork child has its own socket under this number */
	uint64_t ask_again : 1;
	uint64_t use : 2; /* enum use of the lease, USE_FREE = none */
	uint64_t plane : 8;
	uint64_t port : 16;
	uint64_t generation : 2; /* of the process that took the lease */
	/* A number that the descriptors of one socket have in common, of which
	 * one has the lease; 0 = there is no other. */
	uint64_t copies : 17;
};

_Static_assert(sizeof(struct fd_facts) == sizeof(uint64_t), "one word");

/* What belongs not to the socket but to one of its descriptors: the lease. */
static inline struct fd_facts fd_facts_without_lease(struct fd_facts facts)
{
	facts.use = USE_FREE;
	facts.plane = 0;
	facts.generation = 0;
	return facts;
}

/* The same facts, with the lease of another descriptor of the socket. */
static inline struct fd_facts fd_facts_with_lease(struct fd_facts facts,
						  const struct fd_facts *from)
{
	facts.use = from->use;
	facts.plane = from->plane;
	facts.generation = from->generation;
	facts.rests = from->rests;
	return facts;
}

/* The family of the socket. */
static inline int facts_family(const struct fd_facts *facts)
{
	return facts->ipv6 ? AF_INET6 : AF_INET;
}

/* Whether both have a port, and the same. */
static inline bool facts_same_port(const struct fd_facts *facts,
				   const struct fd_facts *other)
{
	return facts->has_port && other->has_port &&
	       facts->protocol == other->protocol && facts->port == other->port;
}

/* The facts of what socket(domain, type, protocol) makes, without a port. */
struct fd_facts facts_of_new(int domain, int type, int ip_protocol);

/*
 * The facts of a socket from elsewhere. Returns 0 or -errno: -ENOTSOCK, -EBADF,
 * or a result of raw_is_filtered(). Where a filter refuses one question, the
 * facts come from another.
 */
int facts_query(int fd, struct fd_facts *factsp);
