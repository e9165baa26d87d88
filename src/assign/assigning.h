/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call that gives its socket a port of its own, and the attempts with one
 * candidate for this port.
 */

#include "assign/assign.h"
#include "assign/call.h"
#include "assign/pick.h"
#include "kernel/endpoint.h"

/* One call that has to give its socket a port that is not chosen yet. */
struct assigning {
	struct call *call;
	struct endpoint local; /* where the socket is bound, or is to be */
	/* A port that the socket shows, and that the kernel may have taken
	 * back; 0 = none */
	uint16_t shown;
	struct port_pick pick;
	const struct lease *lease; /* of the candidate; NULL = the kernel's */
	struct kept kept;
	long result; /* of the program's call, after it was made */
	/* The socket has a port that the cache does not know */
	bool has_port;
	bool pinned;	     /* a pin is set that has to be removed */
	bool is_bound;	     /* the port was bound explicitly */
	bool has_tried_bind; /* which removes the address where it fails */
	bool shares;	     /* other sockets may have the port too */
	bool knows_sharing;  /* the next three were read */
	/* Another socket is bound to the port first, as a test */
	bool tests_first;
	int reuse_address, reuse_port;
};

/* The outcome of one candidate. */
enum port_outcome {
	PORT_NEXT,  /* another socket has the port */
	PORT_TAKEN, /* the socket has it; result is the program's */
	PORT_ENDED, /* no port was taken; result is the program's */
	/* The kernel has not used the pin, for whatever reason */
	PORT_NO_PIN,
};

bool assigning_is_tcp(const struct assigning *self);
bool assigning_is_udp(const struct assigning *self);

/* SO_REUSEADDR and SO_REUSEPORT as the program has them. */
void assigning_read_sharing(struct assigning *self);

bool assigning_is_bind(const struct assigning *self);

/* Whether the policy lets the port rest after use, for its role. */
bool assigning_rests(const struct assigning *self);

/*
 * Makes the program's call. A connect and a send may be cancelled in it, and so
 * get their lease before.
 */
void assigning_make(struct assigning *self);

/*
 * The error that the kernel gives where no port is left. inet_autobind() gives
 * EAGAIN, and so does sctp_listen_start().
 */
int assigning_error_of_exhaustion(const struct call *call);

/* Makes the program's call while the kernel may choose from lo to hi. */
enum port_outcome assigning_try_pinned(struct assigning *self, uint16_t lo,
				       uint16_t hi);

/* A bind to several addresses: one may be bound before another is refused. */
bool assigning_has_port(const struct assigning *self, uint16_t port);

enum port_outcome assigning_try_port(struct assigning *self, uint16_t port);
