/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A map of the test's own, with leases of TCP in it, and a range of 1000 ports.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "map/layout.h"
#include "map/ledger.h"
#include "map/map.h"

static struct map map;
static struct port_set range;

static inline void set_range(uint32_t lo, uint32_t hi)
{
	memset(&range, 0, sizeof(range));
	port_set_add(&range, lo, hi);
	port_set_finish(&range);
}

static inline void open_map_here(void)
{
	cr_assert_eq(map_open_private(0, &map), 0);
	set_range(40000, 40999);
}

static inline void close_map_here(void)
{
	map_close(&map);
}

static inline struct lease lease(enum use use, uint16_t port, uint16_t plane)
{
	return (struct lease){
		.protocol = PROTOCOL_TCP,
		.use = use,
		.port = port,
		.plane = plane,
	};
}

static inline int take(enum use use, uint16_t port, uint16_t plane)
{
	const struct lease wanted = lease(use, port, plane);

	return ledger_lease(&map, &wanted);
}

static inline int find(enum use use, uint16_t plane, uint32_t from, bool rests,
		       uint64_t now_ms)
{
	const struct lease wanted = lease(use, 0, plane);

	return ledger_find(&map, &wanted, &range, from, rests, now_ms);
}
