/* SPDX-License-Identifier: MIT */
#pragma once

/* One connect of a TCP socket, and what is done with one candidate for its port. */

#include "assign/assign.h"
#include "assign/call.h"
#include "assign/pick.h"
#include "kernel/endpoint.h"

/* One connect of one socket from a port that is not chosen yet. */
struct connecting {
	struct call *call;
	const struct endpoint *remote;
	struct endpoint local;	/* the wildcard, or what the program has bound */
	uint16_t shown;		/* a port that the socket shows, and which the
				   kernel may have taken back; 0 = none */
	struct port_pick pick;
	struct fd_facts before;	/* as the search began */
	struct kept kept;
	bool has_tried_bind;	/* a bind that fails takes the address away */
	bool is_pinned;		/* a pin is on the socket that has led nowhere */
	long result;		/* of the program's call, once it was made */
};

/* What came of a candidate. */
enum connect_outcome {
	CONNECT_NEXT,		/* the kernel would not have this port */
	CONNECT_DONE,		/* result is the program's */
	CONNECT_NO_PIN,		/* the kernel has no such option */
};

struct process *connecting_process(const struct connecting *self);

void connecting_make(struct connecting *self);

/* Enters what is known of the socket. */
void connecting_enter(struct connecting *self);

/* Takes a port that the kernel chose into the map, if it can still be leased. */
void connecting_adopt(struct connecting *self, uint16_t port, bool pinned);

void connecting_unpin(struct connecting *self);

/*
 * Pins lo to hi and makes the call. lease is what the map gave for lo == hi, or
 * NULL. The pin stays on a socket that has connected at once: getsockopt() hides
 * it, and to take it off would cost a system call on every connect.
 */
enum connect_outcome connecting_try_pinned(struct connecting *self,
					   const struct lease *lease,
					   uint16_t lo, uint16_t hi);

/*
 * Binds a port so that sockets with other destinations may have it too. A bind
 * cannot be undone, and the kernel's "no" to the connect would be the
 * program's: so it is bound alone first, which works only where nobody else has
 * the port, and shared only after a look for the very connection.
 */
int connecting_bind_shared(struct connecting *self, uint16_t port);

/* A SO_REUSEADDR of Berth's goes where it has not led to a connection. */
void connecting_end_on_bind(struct connecting *self);

enum connect_outcome connecting_try_lease(struct connecting *self,
					  const struct lease *lease);
