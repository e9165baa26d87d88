/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call of the program's that may need a port: bind, connect, listen, send.
 *
 * Ports are in host byte order. Nothing here locks, allocates or touches errno;
 * all of it is async-signal-safe and bounded.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "process/fd_cache.h"

struct endpoint;
struct process;

struct call {
	/* --- the hook's part ---------------------------------------------- */

	/* Makes the program's call and returns its result, or -errno. port
	 * replaces the port in the address of a bind; with 0, and for every
	 * call that does not bind to an address, the call is made as the
	 * program made it. */
	long (*make)(const struct call *call, uint16_t port);
	enum event_call kind;
	int fd;
	/* Where the call binds, connects or sends to; NULL = nowhere. As the
	 * program passed it: it may be unreadable. */
	const struct sockaddr *address;
	socklen_t length;
	bool connects; /* the call connects a TCP socket */
	bool is_whole; /* a bind to several addresses */
	/* Berth has chosen the port that the bind names */
	bool is_chosen;
	bool has_no_backlog; /* a listen with a backlog of 0 */

	/* --- call_run()'s part -------------------------------------------- */

	struct process *process;
	struct fd_facts facts;
	struct policy policy;
};

/*
 * The one path of every call: each hook describes its call and hands it to
 * this function, in run.c. It decides, in this order: whether Berth assigns
 * ports to the socket at all, whether the policy refuses the call, whether the
 * socket has a port already, and else which port it gets. The kernel decides
 * about each port: a call that it refuses leaves the socket as it was. Returns
 * the call's result, or -errno.
 */
long call_run(struct process *process, struct call *call);

/*
 * Notes whether the next connect of the socket only returns the result of this
 * one, and makes no connection: SS_CONNECTING and SS_CONNECTED of
 * __inet_stream_connect() in net/ipv4/af_inet.c. Changes call->facts alone.
 */
void call_note_connect(struct call *call, long result);

/*
 * Whether the next connect of the socket only returns the result of the last
 * one. This is noted in the facts, or guessed for a socket from elsewhere; the
 * kernel is asked whether another process has fetched the result, or has
 * disconnected the socket.
 */
bool call_is_engaged(const struct call *call);

/*
 * Whether the socket may be bound before the call is made: not where that only
 * returns the result of the last connect. MPTCP does not show that another
 * process has disconnected it: it is bound, so that no port is the kernel's.
 */
bool call_may_bind(const struct call *call);

/*
 * Whether the descriptor has a socket of the protocol and family that the facts
 * say: it may have been closed, and its number used again, without a hook
 * noticing.
 */
bool call_is_as_known(const struct call *call);

/*
 * Resets a SO_REUSEADDR that Berth has set, on a socket that a connect has left
 * closed. Changes call->facts alone.
 */
void call_drop_reuse(struct call *call);

/*
 * Whether a stream socket that shows a port still holds it. A port that the
 * program has not named is released when the socket returns to state CLOSE
 * (tcp_set_state() in net/ipv4/tcp.c), but getsockname() still shows it. Where
 * the two cases cannot be told apart, the answer is true. Up to six system
 * calls, which change nothing but this: a TCP socket over IPv4, or one of
 * MPTCP, that has lost its port shows port 0 afterwards, and no address that it
 * was not bound to.
 */
bool call_holds_port(const struct call *call);

/* The role of the port for this call. */
enum role call_role(const struct call *call);

/* --- the address that the program has passed ------------------------------ */

/* The family in the call's address, which is readable; -1 for none. */
int call_family(const struct call *call);

/*
 * Whether there is anything to ask the kernel. An address that the kernel would
 * refuse is left to the kernel. A socket that the cache does not know, and that
 * gets no address, or one of another family, is not queried: the program's
 * seccomp filter may end the program for that.
 */
bool call_is_concerned(const struct call *call);

/* Returns false for another family than the socket's, which the kernel
 * refuses. */
bool call_read_address(const struct call *call, struct endpoint *endpointp);

/* The same, and AF_UNSPEC where a bind takes it for AF_INET. */
bool call_read_bind_address(const struct call *call, struct endpoint *localp);
