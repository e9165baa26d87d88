/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call that gives its socket a port of its own, and what is done with one
 * candidate for it.
 */

#include "assign/assign.h"
#include "assign/call.h"
#include "assign/pick.h"
#include "kernel/endpoint.h"

/* One call that is to give its socket a port that is not chosen yet. */
struct assigning {
	struct call *call;
	struct endpoint local;	/* where the socket is bound, or is to be */
	uint16_t shown;		/* a port that the socket shows, and which the
				   kernel may have taken back; 0 = none */
	struct port_pick pick;
	const struct lease *lease;	/* of the candidate; NULL = the kernel's */
	struct kept kept;
	long result;		/* of the program's call, once it was made */
	bool has_port;		/* the socket has one that the cache does not know */
	bool pinned;		/* a pin is set that must go */
	bool is_bound;		/* the port was bound explicitly */
	bool has_tried_bind;	/* a bind that fails takes the address away */
	bool shares;		/* the port need not be the socket's alone */
	bool knows_sharing;	/* the next three have been read */
	bool tests_first;	/* another socket is bound to the port first */
	int reuse_address, reuse_port;
};

/* What came of a candidate. */
enum port_outcome {
	PORT_NEXT,		/* somebody else has the port */
	PORT_TAKEN,		/* the socket has it; result is the program's */
	PORT_ENDED,		/* no port was taken; result is the program's */
	PORT_NO_PIN,		/* the kernel takes no pin, for whatever reason */
};

bool assigning_is_tcp(const struct assigning *self);
bool assigning_is_udp(const struct assigning *self);

/* SO_REUSEADDR and SO_REUSEPORT as the program has them. */
void assigning_read_sharing(struct assigning *self);

bool assigning_is_bind(const struct assigning *self);

/* What the policy says of a port's rest, for its role. */
bool assigning_rests(const struct assigning *self);

/*
 * Makes the program's call. A connect and a send may be cancelled in it, and
 * then have their lease before.
 */
void assigning_make(struct assigning *self);

/*
 * What the kernel says where no port is left. inet_autobind() gives EAGAIN, and
 * so does sctp_listen_start().
 */
int assigning_error_of_exhaustion(const struct call *call);

/* Lets the kernel choose from lo to hi within the program's own call. */
enum port_outcome assigning_try_pinned(struct assigning *self, uint16_t lo,
				       uint16_t hi);

/* Of several addresses one may be bound before another is refused. */
bool assigning_has_port(const struct assigning *self, uint16_t port);

enum port_outcome assigning_try_port(struct assigning *self, uint16_t port);
