/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who has which local port in this network namespace, from the kernel's table
 * of sockets and from /proc: a claim for each process on each port.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/port_set.h"
#include "kernel/protocol.h"

/* What a process does with a port. */
enum socket_role {
	ROLE_LISTEN,
	ROLE_CONNECTED,
	ROLE_BOUND,	/* neither, or not to be told: UDP without a peer */
	ROLE_ORPHAN,	/* TIME_WAIT and the like: no process has it any more */
};

struct claim {
	enum protocol protocol;
	enum socket_role role;
	uint16_t port;
	pid_t pid;	/* 0 = orphan, or a process that this user cannot see */
};

struct claims {
	struct claim *items;	/* by protocol, port, pid, role; each once */
	size_t n_items, capacity;
	struct port_set listening[N_PROTOCOLS];	/* not finished */
	int errors[N_PROTOCOLS];	/* why there is no listing, -errno; or 0 */
};

/*
 * Asks the kernel. Returns 0, also where some protocols could not be listed (see
 * errors; one that the kernel lacks is no error), or -ENOMEM, or why /proc
 * cannot be read. To be closed in any case.
 */
int claims_open(struct claims *claims);
void claims_close(struct claims *claims);

/* The claims on a port, n of them. */
const struct claim *claims_of(const struct claims *claims,
			      enum protocol protocol, uint16_t port,
			      size_t *np);

/* "listen", "connected", "bound", "orphan". */
const char *socket_role_name(enum socket_role role);
