/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Making the map right again from the kernel's own table of sockets.
 *
 * What the map had leased before the kernel was asked, and the kernel does not
 * know, goes to rest: it may be a port that is leased and not bound yet, and
 * from there it is given out last. What the kernel has, and still has after the
 * map was seen not to show it, is marked as leased; a later sweep takes the mark
 * away again.
 *
 * Lock-free: any number of sweeps may run beside leases, releases and each
 * other, and may end at any instruction. A lease that is lost to one costs its
 * holder nothing, since the kernel is the judge. Maps some memory and gives it
 * back, opens a descriptor and closes it; errno is not touched.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/port_set.h"
#include "kernel/socket_table.h"

struct map;

/*
 * From the beginning of a sweep of a protocol to that of the next that nobody asked
 * for by hand: the least and the most, and in between so many times as long as
 * the last one took. A namespace with millions of sockets is not swept all day
 * because one destination has used up the range.
 */
#define SWEEP_INTERVAL_MS 1000u
#define SWEEP_INTERVAL_MAX_MS 60000u
#define SWEEP_PAUSE 16u

struct sweep_result {
	uint32_t n_sockets;	/* that the kernel told of */
	uint32_t n_leases;	/* that the map had, before */
	uint32_t n_cleared;	/* of them, without a socket: they rest now */
	uint32_t n_marked;	/* sockets without a lease */
};

/* How the kernel is asked: socket_table_list(), proc_net_list(). */
typedef int (*sweep_lister)(enum protocol protocol, uint16_t port,
			    kernel_socket_visit visit, void *context);

/*
 * Whether it is this process's turn: nobody has begun to sweep the protocol for the
 * interval. A sweeper that dies keeps the turn for as long, no longer. To be
 * followed by sweep_end_turn() with how long it took.
 */
bool sweep_take_turn(const struct map *map, enum protocol protocol,
		     uint64_t now_ms);
void sweep_end_turn(const struct map *map, enum protocol protocol,
		    uint64_t took_ms);

/*
 * Sweeps the protocol of a search that found nothing awake, if it is its turn.
 * Whatever comes of it, the search goes on.
 */
void sweep_if_due(const struct map *map, enum protocol protocol,
		  const struct port_set *range);

/*
 * Sweeps a protocol; sockets are marked where their port is in range. Returns 0; or
 * -errno when the kernel could not be asked or there was no memory, and nothing
 * has been cleared then; -EXDEV in another network namespace than the map's.
 */
int sweep_protocol(const struct map *map, enum protocol protocol,
		const struct port_set *range, sweep_lister list,
		uint64_t now_ms, struct sweep_result *resultp);
