/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Makes the kernel use a port of the range: pin, bind and shared bind.
 *
 * pin: IP_LOCAL_PORT_RANGE is narrowed to one port, then the program's own call
 * is made; used wherever the kernel supports it (kernel_can_pin(), and the
 * kernel has not answered that it has no such option). The kernel treats the
 * port like one that it has chosen: it is released after a failed connect and
 * by AF_UNSPEC (SOCK_BINDPORT_LOCK in net/ipv4/af_inet.c stays off). A socket
 * that already has a port ignores the pin. If the call does not lead to a
 * connection, the pin is removed at once, so that no process inherits it.
 *
 * bind: an explicit bind to the port, before the program's call.
 *
 * shared bind: the same for a connect, with SO_REUSEADDR on, so that different
 * destinations share the port and TIME_WAIT does not block it.
 *
 * Beside the program's own call only setsockopt, getsockopt, getsockname and
 * bind are called, and getpid, which identifies a vfork child, once in a new
 * process and where a lease ends. Two rare cases open another socket and close
 * it again: before a port outside the kernel's range is shared that another
 * socket already has, and before a UDP socket with SO_REUSEPORT is bound.
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
 * Gives the socket a lease before the call is made: if the thread is cancelled
 * in the call, the lease stays with the descriptor. is_pinned: the socket is
 * pinned too.
 */
struct kept {
	struct fd_facts facts; /* the facts that were entered */
	bool is_kept;
	bool is_entered; /* the cache had a place */
};

void assign_keep(struct call *call, const struct lease *lease, bool is_pinned,
		 struct kept *keptp);

/*
 * Takes a kept lease back: the socket has no port. Returns whether the caller
 * has to release it; false if it went with the descriptor, which another thread
 * has closed or copied meanwhile.
 */
bool assign_withdraw(struct call *call, const struct kept *kept);

/* Counts a port that is left to the kernel, if the reason is a filter. */
void assign_count_filtered(const struct call *call, long result);

/*
 * Enters the port that the socket has after a call: one that the program has
 * named (is_named: it stays with the socket), or that the kernel has chosen.
 */
void assign_record(struct call *call, bool is_named);

/*
 * The same after a successful bind; where the socket cannot be queried, the
 * port that the program has named is entered. It may be 0: no port was taken
 * yet.
 */
void assign_record_bind(struct call *call, const struct endpoint *named);

/*
 * The same for a port that the kernel has chosen where Berth was to assign one:
 * a port outside the range is reported. result is that of the call: a bind that
 * failed has not given the socket its address.
 */
void assign_record_choice(struct call *call, long result);

/*
 * Queries the port that the kernel has chosen, and reports one outside the
 * range of the role: in observe mode, and where none could be assigned.
 * call->facts is updated and entered. result is that of the call, as above.
 */
void assign_observe(struct call *call, long result);

/* Whether a pin can be used for this port of this socket. */
bool assign_can_pin(const struct call *call, uint16_t port);

/*
 * Pins, and notes when the kernel has no such option for this protocol. Returns
 * 0 or -errno.
 */
int assign_pin(const struct call *call, uint16_t lo, uint16_t hi);

/*
 * Called when a socket that was pinned to a port has another one. A process
 * that shares the socket may have given it that port before. If the kernel has
 * ignored the pin, its settings have changed: they are read again, and if they
 * do not explain it, this process uses no further pin.
 */
void assign_check_pin(const struct call *call, uint16_t port);

/*
 * The next part of the pick's range, at or after from, that lies completely
 * inside or completely outside the kernel's own range and does not contain the
 * port that the pick avoids.
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
