/* SPDX-License-Identifier: MIT */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "cli/output.h"
#include "cli/report/maps.h"
#include "cli/sockets.h"
#include "cli/view.h"
#include "map/layout.h"

struct status_map {
	const char *path;
	uint32_t uid;
	int error; /* why its contents do not count, -errno; or 0 */
};

/* The leases of all maps, and of their uses the one that leaves the least to
 * others. */
struct status_port {
	uint32_t n_leases;
	uint8_t use; /* enum use */
	bool rests;  /* in some map; if USE_FREE */
};

/* All that a report is made of; too large for the stack. */
struct status {
	struct view view;
	char map_path[PATH_MAX]; /* of the map of this user */
	int map_error;		 /* of map_open() */
	struct status_map *maps; /* of all users, in this namespace */
	size_t n_maps;
	struct maps_missed missed; /* of them, those that were not read */
	size_t n_read;		   /* of them, those that could be read */
	/* The sums of these: */
	uint64_t counters[N_COUNTERS];
	struct status_port ports[N_PROTOCOLS][N_PORTS];
	uint64_t now_ms; /* when they are read */
	struct sockets sockets;
	struct output output;
};

/* Prints all sections. Returns as output_close(). */
int status_report(struct status *status);
