/* SPDX-License-Identifier: MIT */
#include "lease_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "map/ledger.h"
#include "probe.h"

void lease_map_open(struct lease_map *map, const char *ports)
{
	static struct kernel kernel;
	unsigned int lo = 0, hi = 0;

	kernel_read(&kernel);

	const struct place place = {
		.directory = getenv("BERTH_DIR"),
		.netns_inode = kernel.netns_inode,
		.netns_cookie = kernel.netns_cookie,
	};

	must(map_open(&place, MAP_EXISTING, &map->map, NULL), "map");
	must(sscanf(ports, "%u-%u", &lo, &hi) == 2 ? 0 : -1, ports);
	port_set_add(&map->range, lo, hi);
	port_set_finish(&map->range);
}

bool lease_map_has(const struct lease_map *map, int fd)
{
	const uint16_t port = local_port(fd);
	int type = 0;
	socklen_t length = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
	return !port_set_has(&map->range, port) ||
	       ledger_use_word(&map->map,
			       type == SOCK_STREAM ? PROTOCOL_TCP
						   : PROTOCOL_UDP,
			       port) != 0;
}

uint32_t lease_map_count(const struct lease_map *map)
{
	uint32_t n = 0;

	for (uint32_t port = 0; port < N_PORTS; port++)
		for (int protocol = PROTOCOL_TCP; protocol <= PROTOCOL_UDP;
		     protocol++)
			n += port_set_has(&map->range, port) &&
			     ledger_use_word(&map->map, (enum protocol)protocol,
					     (uint16_t)port) != 0;
	return n;
}

void lease_map_clear(struct lease_map *map)
{
	struct map_memory *memory = map->map.memory;

	memset(memory->protocols, 0, sizeof(memory->protocols));
	memset(memory->planes, 0, sizeof(memory->planes));
}
