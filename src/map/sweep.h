/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Makes the map agree with the kernel's own table of sockets.
 *
 * A port that was leased before the kernel was asked, and that the kernel does
 * not know, begins to rest: it may be leased and not bound yet, and a resting
 * port is assigned last. A port that the kernel knows, and still knows after
 * the map was seen not to show it, is marked as leased; a later sweep removes
 * the mark.
 *
 * Lock-free: any number of sweeps may run beside leases, releases and each
 * other, and may end at any instruction. If a sweep removes a valid lease, its
 * holder keeps its port, since the kernel decides. Maps some memory and unmaps
 * it, opens a descriptor and closes it; errno is not touched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/port_set.h"
#include "kernel/socket_table.h"

struct map;

struct sweep_result {
	uint32_t n_sockets; /* that the kernel has listed */
	uint32_t n_leases;  /* that the map showed before */
	/* Of them, without a socket: their ports rest now */
	uint32_t n_cleared;
	uint32_t n_marked; /* sockets without a lease */
};

/* How the kernel is asked: socket_table_list(), proc_net_list(). */
typedef int (*sweep_lister)(enum protocol protocol, uint16_t port,
			    kernel_socket_visit visit, void *context);

/*
 * Sweeps the protocol after a search has found no port that does not rest, if
 * it is this process's turn. The search goes on, whatever the result is.
 */
void sweep_if_due(const struct map *map, enum protocol protocol,
		  const struct port_set *range);

/*
 * Sweeps a protocol; sockets are marked where their port is in range. Returns
 * 0; or -errno when the kernel could not be asked or there was no memory: no
 * lease has been cleared then; -EXDEV in another network namespace than the
 * map's.
 */
int sweep_protocol(const struct map *map, enum protocol protocol,
		   const struct port_set *range, sweep_lister list,
		   uint64_t now_ms, struct sweep_result *resultp);
