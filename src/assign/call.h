/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call of the program's that may need a port: bind, connect, listen, a send.
 *
 * Every hook describes its call and hands it to call_run(), see run.h.
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
	/* --- the hook's part ------------------------------------------------ */

	/*
	 * Makes the program's call and returns its result, or -errno. port
	 * replaces the port that a bind names; 0, and for every call that binds
	 * nothing by name, is the call as the program made it.
	 */
	long (*make)(const struct call *call, uint16_t port);
	enum event_call kind;
	int fd;
	/* Where it binds, connects or sends to; NULL = nowhere. As the program
	 * gave it: it may be unreadable. */
	const struct sockaddr *address;
	socklen_t length;
	bool connects;		/* it makes a connection of a TCP socket */
	bool is_whole;		/* a bind to several addresses */
	bool is_chosen;		/* the port that it names was chosen by Berth */
	bool has_no_backlog;	/* a listen with a backlog of 0 */

	/* --- call_run()'s part ---------------------------------------------- */

	struct process *process;
	struct fd_facts facts;
	struct policy policy;
};

/*
 * Remembers whether the next connect of the socket is told what came of this one,
 * and makes no connection itself: SS_CONNECTING and SS_CONNECTED of
 * __inet_stream_connect() in net/ipv4/af_inet.c. Changes call->facts alone.
 */
void call_note_connect(struct call *call, long result);

/*
 * Whether the next connect of the socket is told what came of the last one. That is
 * remembered, or guessed of a socket that comes from elsewhere; the socket is asked
 * whether another process has had it told, or has disconnected it.
 */
bool call_is_engaged(const struct call *call);

/*
 * Takes a SO_REUSEADDR of Berth's off a socket that a connect has left closed.
 * Changes call->facts alone.
 */
void call_drop_reuse(struct call *call);

/* The role that a port has for this call. */
enum role call_role(const struct call *call);

/* --- the address that the program has handed over ------------------------------ */

/* The family in the call's address, which is readable; -1 for none. */
int call_family(const struct call *call);

/*
 * Whether there is anything to ask the kernel. An address that it would refuse
 * is for it to refuse. A socket that the cache does not know, and that is told to
 * go nowhere, or to another family's address, is left alone before it is asked
 * what it is: the program's seccomp filter may end the program for the question.
 */
bool call_is_concerned(const struct call *call);

/* Returns false for another family than the socket's, which is for the kernel to
 * refuse. */
bool call_read_address(const struct call *call, struct endpoint *endpointp);

/* The same, and AF_UNSPEC where a bind takes it for AF_INET. */
bool call_read_bind_address(const struct call *call, struct endpoint *localp);
