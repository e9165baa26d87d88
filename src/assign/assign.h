/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Making the kernel use a port of the range: pin, bind and shared bind.
 *
 * pin          IP_LOCAL_PORT_RANGE narrowed to one port, then the program's own
 *              call; wherever the kernel takes it (kernel_can_pin(), and it has
 *              not answered "no such option"). The port is then as unbound as
 *              one that the kernel chose: it goes with a failed connect and with
 *              AF_UNSPEC (SOCK_BINDPORT_LOCK in net/ipv4/af_inet.c stays off).
 *              A socket that has a port already ignores the pin. It is taken
 *              off as soon as it has not led to a connection, so that nobody
 *              inherits it.
 * bind         an explicit bind of the port, before the program's call.
 * shared bind  the same for connect, with SO_REUSEADDR on, so that different
 *              destinations share the port and TIME_WAIT does not block it.
 *
 * Only setsockopt, getsockopt, getsockname and bind are called beside the
 * program's own call, and getpid, which tells a vfork child, once in a new process
 * and where a lease ends. Two rare cases open a socket of their own and close it
 * again: before a port outside the kernel's range that somebody has already is
 * shared, and before a UDP socket with SO_REUSEPORT is bound.
 *
 * Errno is not touched. Async-signal-safe, bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "process/fd_cache.h"
#include "process/process.h"

struct call;
struct endpoint;
struct policy;
struct port_pick;

/*
 * Makes a lease the socket's before the call is made: a thread that is cancelled
 * in the call leaves it to the descriptor. is_pinned: a pin is on the socket too.
 */
struct kept {
	struct fd_facts facts;	/* what was entered */
	bool is_kept;
	bool is_entered;	/* the cache had a place */
};

void assign_keep(struct call *call, const struct lease *lease, bool is_pinned,
		 struct kept *keptp);

/*
 * Takes a lease that was kept back: the socket has no port. Returns whether it is
 * the caller's to give back, and not gone with the descriptor, which another
 * thread has closed or copied meanwhile.
 */
bool assign_withdraw(struct call *call, const struct kept *kept);

/* Counts a port that is left to the kernel, if that is because of a filter. */
void assign_count_filtered(const struct call *call, long result);

/*
 * Enters the port that a call has left on its socket: one that the program named
 * (is_named: it stays with the socket), or that the kernel chose.
 */
void assign_record(struct call *call, bool is_named);

/*
 * The same for a bind that went well; where the socket cannot be looked at, what
 * the program named is entered. Its port may be 0: none was taken yet.
 */
void assign_record_bind(struct call *call, const struct endpoint *named);

/* The same for a port that the kernel chose, though Berth was to: one outside
 * the range is reported. */
void assign_record_choice(struct call *call);

/*
 * Looks at the port that the kernel chose, and reports one outside the range of
 * the role: in observe mode, and where none could be assigned. call->facts is
 * brought up to date and entered.
 */
void assign_observe(struct call *call);

/* Whether the pin may be used for this port of this socket. */
bool assign_can_pin(const struct call *call, uint16_t port);

/*
 * Pins, and remembers when the kernel has no such option for this protocol.
 * Returns 0 or -errno.
 */
int assign_pin(const struct call *call, uint16_t lo, uint16_t hi);

/*
 * A socket that was pinned to a port has another one. It may have had that
 * before, by a process that shares it. Where the kernel ignores a pin indeed, its
 * settings are not what they were: they are read again, and where they do not
 * explain it, no further pin is tried in this process.
 */
void assign_check_pin(const struct call *call, uint16_t port);

/*
 * The next part of the pick's range, at or after from, that lies wholly inside or
 * wholly outside the kernel's own and leaves out the port that the pick avoids.
 */
struct range_part {
	uint16_t lo, hi;
	bool can_pin;
};

bool assign_next_part(const struct call *call, const struct port_pick *pick,
		      uint32_t from, struct range_part *partp);

/* Reports that no port of the range is left for a call. */
void assign_report_exhausted(const struct call *call,
			     const struct endpoint *address);
