/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which port may be assigned to whom: leases, kept in the bitmaps of a map.
 *
 * Ports are in host byte order. Every function is lock-free, async-signal-safe
 * and bounded: a constant number of atomic operations plus, for ledger_find(),
 * one scan of at most 1,025 words; only a compare-and-swap is retried, and only
 * because another one succeeded. A process that dies at any instruction leaves
 * at worst a port that looks taken though it is not: the kernel decides about
 * each port, and the sweep corrects the map.
 */

#include <stdbool.h>
#include <stdint.h>

#include "map/layout.h"

struct map;

/* One lease. A whole lease has plane 0. */
struct lease {
	enum protocol protocol;
	enum use use; /* USE_WHOLE, USE_BOUND or USE_CONNECT */
	uint16_t port;
	uint16_t plane; /* below ledger_n_planes(protocol) */
};

uint32_t ledger_n_planes(enum protocol protocol);

/* The plane of a destination or local address, from its 64-bit hash. */
uint16_t ledger_plane(enum protocol protocol, uint64_t hash);

/*
 * Leases a port for a use on a plane, whether or not it rests.
 * Returns 0, or -EADDRINUSE when the map knows of a use that excludes this one.
 */
int ledger_lease(const struct map *map, const struct lease *lease);

/*
 * Releases a lease; rest_now_ms is the time for a port that is to rest, 0 for
 * one that is not. A lease that the map does not show (any more) is ignored.
 * With USE_FREE only the plane's bit is cleared: where a process has died, it
 * is not known whether the bit was ever counted in the use word.
 */
void ledger_release(const struct map *map, const struct lease *lease,
		    uint64_t rest_now_ms);

/*
 * The first port at or after from, cyclically, that is in range and that the
 * map shows as free for this use and plane; with rests, resting ports count as
 * free. Returns the port, or -1 for none.
 */
int ledger_find(const struct map *map, const struct lease *wanted,
		const struct port_set *range, uint32_t from, bool rests,
		uint64_t now_ms);

/* Whether a port rests. */
bool ledger_rests(const struct map *map, enum protocol protocol, uint16_t port,
		  uint64_t now_ms);

/* For how many milliseconds a port has rested, to within 2^-15 of twice the
 * rest time. */
uint32_t ledger_rested_ms(const struct map *map, enum protocol protocol,
			  uint16_t port, uint64_t now_ms);

/* Whether the map shows a port as free for a lease, whether or not it rests. */
bool ledger_is_open(const struct map *map, const struct lease *wanted);

/* Lets a port rest from now_ms on. */
void ledger_rest(const struct map *map, enum protocol protocol, uint16_t port,
		 uint64_t now_ms);

/* --- for the sweep, see sweep.h ------------------------------------------- */

/* A port's use word; 0 = free. */
uint32_t ledger_use_word(const struct map *map, enum protocol protocol,
			 uint16_t port);

static inline enum use ledger_use_of(uint32_t use_word)
{
	return (enum use)(use_word & 3);
}

/* 64 ports of a plane, as bits. */
uint64_t ledger_plane_bits(const struct map *map, enum protocol protocol,
			   uint32_t plane, uint32_t word);

/*
 * Sets the number of a port's leases to n_leases, 0 = free, if its use word is
 * the same as when these were counted. Where a lease is released at the same
 * time, the number may be one too low; then the port shows as free too early,
 * and the next sweep finds its socket.
 */
void ledger_settle(const struct map *map, enum protocol protocol, uint16_t port,
		   uint32_t use_word, uint32_t n_leases);

/*
 * Corrects the hints of 64 ports, which disagree with the use words where a
 * process died between its two writes.
 */
void ledger_mend_hints(const struct map *map, enum protocol protocol,
		       uint32_t word);

/*
 * What the map shows for a port, for reports; USE_FREE with *restsp for
 * resting.
 */
enum use ledger_use(const struct map *map, enum protocol protocol,
		    uint16_t port, uint64_t now_ms, uint32_t *n_leasesp,
		    bool *restsp);
