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
 * bind         an explicit bind of the port, before the program's call.
 * shared bind  the same for connect, with SO_REUSEADDR on, so that different
 *              destinations share the port and TIME_WAIT does not block it.
 *
 * Only setsockopt, getsockopt, getsockname and bind are called beside the
 * program's own call, and getpid, which tells a vfork child, once in a new process
 * and where a lease ends. A port outside the
 * kernel's range that somebody has already is the exception: before it is
 * shared the kernel's table is asked, through a socket that is closed again.
 * Errno is not touched. Async-signal-safe, bounded.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/fd_cache.h"
#include "core/process.h"

struct endpoint;
struct policy;
struct port_pick;

/* The program's own call, made once for every port that is tried. */
struct program_call {
	/* Returns the call's result, or -errno. */
	long (*make)(const struct program_call *call);
};

/* What gives the socket its port: a bind, or a call that binds on its way. */
struct port_taker {
	/*
	 * address has the port; or port 0, for the kernel to choose where the
	 * socket is pinned. Returns 0 when the socket has its port; -EADDRINUSE
	 * or -EACCES for another port to be tried; any other -errno ends it.
	 */
	int (*take)(struct port_taker *self, int fd,
		    const struct sockaddr *address, socklen_t length);
};

/*
 * bind(address:0), the program's own: a port that is this socket's alone.
 * address is one that endpoint_read() took, with port 0. With
 * IP_BIND_ADDRESS_NO_PORT the port is left open, as the program asked.
 * Returns 0 with *factsp brought up to date and entered, or -errno;
 * -EADDRINUSE when no port of the range is left.
 */
int assign_bind(struct process *process, int fd, struct fd_facts *factsp,
		const struct sockaddr *address, socklen_t length,
		struct port_taker *taker);

/*
 * The port that a call takes that needs one: listen(), or the first send or
 * connect of a datagram socket. The socket keeps the address it may have.
 * Returns as assign_bind().
 */
int assign_implicit(struct process *process, int fd, struct fd_facts *factsp,
		    enum role role);

/*
 * The same for a socket of SCTP, which takes its port within the call and only
 * when all else is well: listen(), connect(), sctp_connectx(), a send. remote is
 * where it goes, or NULL; its port is not assigned. Returns the call's result,
 * or -errno; -EADDRINUSE when no port of the range is left.
 */
long assign_call(struct process *process, int fd, struct fd_facts *factsp,
		 enum event_call kind, const struct endpoint *remote,
		 const struct program_call *call);

/*
 * connect(2), or what counts as one, of a stream socket without a port. Returns
 * the program's call's result, or -errno; -EADDRNOTAVAIL when no port of the
 * range is left for this destination. *factsp is brought up to date and entered
 * in any case.
 */
long assign_connect(struct process *process, int fd, struct fd_facts *factsp,
		    const struct endpoint *remote,
		    const struct program_call *call);

/* Counts a port that is left to the kernel, if that is because of a filter. */
void assign_count_filtered(struct process *process, long result);

/* Enters a port that the program named itself, or that the kernel chose. */
void assign_record(struct process *process, int fd, struct fd_facts *factsp);

/*
 * Looks at the port that the kernel chose, and reports one outside the range of
 * the role: in observe mode, and where none could be assigned. *factsp is brought
 * up to date and entered.
 */
void assign_observe(struct process *process, const struct policy *policy,
		    int fd, struct fd_facts *factsp, enum role role,
		    enum event_call call);

/* Whether the pin may be used for this port of this socket. */
bool assign_can_pin(const struct process *process, const struct policy *policy,
		    const struct fd_facts *facts, uint16_t port);

/*
 * Pins, and remembers when the kernel has no such option for this protocol.
 * Returns 0 or -errno.
 */
int assign_pin(struct process *process, int fd, const struct fd_facts *facts,
	       uint16_t lo, uint16_t hi);

/*
 * The kernel has ignored a pin that it should have taken: its settings are not
 * what they were at the start. No further pin is tried in this process.
 */
void assign_distrust_pin(struct process *process, const struct policy *policy);

/*
 * The next part of the pick's range, at or after from, that lies wholly inside or
 * wholly outside the kernel's own and leaves out the port that the pick avoids.
 */
struct range_part {
	uint16_t lo, hi;
	bool can_pin;
};

bool assign_next_part(const struct port_pick *pick,
		      const struct fd_facts *facts, uint32_t from,
		      struct range_part *partp);

/* Reports that no port of the range is left for a call. */
void assign_report_exhausted(const struct port_pick *pick, enum event_call call,
			     const struct endpoint *address);
