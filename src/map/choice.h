/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the search for a port starts: the algorithms of RFC 6056, section 3.3.
 *
 * The choice is an index into the ports of a range (0 to n_ports - 1), so that
 * a range with gaps is used in full. The counters lie in shared memory and may
 * hold anything; every result is below n_ports all the same. Lock-free,
 * async-signal-safe, bounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/protocol.h"

struct choice_memory;
struct endpoint;
struct siphash_key;

enum algorithm {
	ALGORITHM_SEQUENTIAL,	     /* 2.2, the classic BSD one */
	ALGORITHM_RANDOM,	     /* 3.3.1 and 3.3.2 */
	ALGORITHM_HASH,		     /* 3.3.3 */
	ALGORITHM_DOUBLE_HASH,	     /* 3.3.4 */
	ALGORITHM_RANDOM_INCREMENTS, /* 3.3.5 */
	N_ALGORITHMS,
};

#define ALGORITHM_DEFAULT ALGORITHM_DOUBLE_HASH

/*
 * double-hash advances its counter by 1 to this, at random, as Linux does since
 * 5.18: otherwise an observer of the ports to one destination could count the
 * connects to another one that has the same counter (CVE-2022-32296).
 */
#define CHOICE_STEP_MAX 8u

/*
 * What a port is wanted for. local is NULL when the socket has no local address
 * yet; remote is NULL for bind and listen, for which the hashes of 3.3.3 and
 * 3.3.4 have nothing to hash and the random start of 3.3.2 is taken, as Linux
 * does (inet_csk_find_open_port() in net/ipv4/inet_connection_sock.c).
 */
struct choice_request {
	enum protocol protocol;
	enum algorithm algorithm;
	bool has_remote;
	uint64_t flow_hash; /* from choice_flow_hash() */
};

/* What was chosen, and the counter that led to it (NULL: none). */
struct choice {
	uint32_t index;
	uint32_t step; /* the step by which it advanced */
	_Atomic uint32_t *counterp;
};

/*
 * The keyed hash of a flow: local address (may be NULL), remote address and
 * remote port (may be NULL). Each from bits of its own it serves as F of RFC
 * 6056 (0 to 31) and G (32 to 47), and for the plane in the ledger (48 to 63).
 */
uint64_t choice_flow_hash(const struct siphash_key *key,
			  const struct endpoint *local,
			  const struct endpoint *remote);

/* n_ports >= 1. */
struct choice choice_start(struct choice_memory *memory,
			   const struct siphash_key *key,
			   const struct choice_request *request,
			   uint32_t n_ports);

/*
 * Tells the algorithm that the n_skipped ports from its choice on were taken,
 * so that the next search starts behind them (the loops of RFC 6056).
 */
void choice_skip(const struct choice *choice, uint32_t n_skipped);
