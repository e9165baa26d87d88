/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One connect of a TCP socket, and the attempts with one candidate for its
 * port.
 */

#include "assign/assign.h"
#include "assign/call.h"
#include "assign/pick.h"
#include "kernel/endpoint.h"

/* One connect of one socket from a port that is not chosen yet. */
struct connecting {
	struct call *call;
	const struct endpoint *remote;
	struct endpoint local; /* the wildcard, or what the program has bound */
	/* A port that the socket shows, and that the kernel may have taken
	 * back; 0 = none */
	uint16_t shown;
	struct port_pick pick;
	struct fd_facts before; /* when the search began */
	struct kept kept;
	bool has_tried_bind; /* which removes the address where it fails */
	/* A pin is set that has not led to a connection */
	bool is_pinned;
	long result; /* of the program's call, after it was made */
};

/* The outcome of one candidate. */
enum connect_outcome {
	CONNECT_NEXT,	/* the kernel has refused this port */
	CONNECT_DONE,	/* result is the program's */
	CONNECT_NO_PIN, /* the kernel has no such option */
};

struct process *connecting_process(const struct connecting *self);

void connecting_make(struct connecting *self);

/* Enters the facts of the socket. */
void connecting_enter(struct connecting *self);

/* Leases a port that the kernel has chosen, if the map allows it. */
void connecting_adopt(struct connecting *self, uint16_t port, bool pinned);

void connecting_unpin(struct connecting *self);

/*
 * Pins lo to hi and makes the call. lease is the map's for lo == hi, or NULL.
 * The pin stays on a socket that has connected at once: getsockopt() hides it,
 * and removing it would cost a system call on every connect.
 */
enum connect_outcome connecting_try_pinned(struct connecting *self,
					   const struct lease *lease,
					   uint16_t lo, uint16_t hi);

/*
 * Binds a port so that sockets with other destinations may have it too. A bind
 * cannot be undone, and if the kernel then refused the connect, the program
 * would get this error. So the port is first bound alone, which succeeds only
 * where no other socket has it, and shared only if the very connection does not
 * exist yet.
 */
int connecting_bind_shared(struct connecting *self, uint16_t port);

/*
 * Resets a SO_REUSEADDR that Berth has set, where it has not led to a
 * connection.
 */
void connecting_end_on_bind(struct connecting *self);

enum connect_outcome connecting_try_lease(struct connecting *self,
					  const struct lease *lease);
