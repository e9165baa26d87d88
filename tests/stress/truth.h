/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A kernel of a few TCP ports for tests of the map: it judges as the real one
 * does who may share a port, and lists its sockets for a sweep. A port is one
 * atomic word, so that a process may be stopped anywhere.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/port_set.h"
#include "kernel/sock_diag.h"
#include "map/ledger.h"

#define TRUTH_LO 40000u /* the first of a word of ports */
#define TRUTH_N_PORTS 192u
#define TRUTH_N_INDICES 4u

/* A port for a use; index is the local address (USE_BOUND) or the destination
 * (USE_CONNECT), each with a plane of its own. */
struct claim {
	enum use use;
	uint16_t port;
	unsigned int index;
};

/* The map that the sockets are compared with; range gets the ports. */
void truth_set_up(const struct map *map, struct port_set *range);

/* What a process would lease in the map for a claim. */
struct lease truth_lease(const struct claim *claim);

/* bind() or connect(): false when another socket excludes this one. */
bool truth_take(const struct claim *claim);

/* Has a claim of USE_CONNECT be bound and not connected yet. */
void truth_unconnect(const struct claim *claim);

/* close(), by whoever. */
void truth_drop(const struct claim *claim);

/* Whether the kernel has a socket of this claim. */
bool truth_has(const struct claim *claim);

/* For sweep_protocol(). */
int truth_list(enum protocol protocol, uint16_t port, kernel_socket_visit visit,
	       void *context);

/*
 * Whether map and sockets agree: no lease without a socket and no socket
 * without a lease, on any port and plane, and hints that follow the uses. Says
 * what does not.
 */
bool truth_agrees(void);

/* All of the map and of the sockets that a sweep goes by, in one number. */
uint64_t truth_fingerprint(void);

/* Closes all sockets and empties the map of their ports. */
void truth_reset(void);
