/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which process holds which local port in this network namespace, from the
 * kernel's table of sockets and from /proc/PID/fd, as `ss -p` finds it out: a
 * holder for each process on each port.
 *
 * Only root sees the processes of other users.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/port_set.h"
#include "cli/memory.h"
#include "kernel/protocol.h"

enum socket_state {
	SOCKET_LISTEN,
	SOCKET_CONNECTED,
	SOCKET_BOUND,  /* neither, as UDP without a peer */
	SOCKET_ORPHAN, /* no process has it any more: TIME_WAIT and the like */
};

struct holder {
	enum protocol protocol;
	enum socket_state state;
	uint16_t port;
	pid_t pid; /* 0 = none, or one that this user cannot see */
};

struct sockets {
	struct holder *items; /* by protocol, port, pid, state; each once */
	size_t n_items;
	struct memory memory;			/* of items */
	struct port_set listening[N_PROTOCOLS]; /* not finished */
	int errors[N_PROTOCOLS]; /* why it is not listed, -errno; or 0 */
};

/*
 * Asks the kernel. Returns 0, also when some protocols could not be listed (see
 * errors; a protocol that the kernel lacks is no error); or why /proc cannot be
 * read. To be closed in any case.
 */
int sockets_open(struct sockets *sockets);
void sockets_close(struct sockets *sockets);

/* The holders of a port, n of them. */
const struct holder *sockets_holders(const struct sockets *sockets,
				     enum protocol protocol, uint16_t port,
				     size_t *np);

/* "listen", "connected", "bound", "orphan". */
const char *socket_state_name(enum socket_state state);
