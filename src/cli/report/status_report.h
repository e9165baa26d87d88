/* SPDX-License-Identifier: MIT */
#pragma once

#include <limits.h>

#include "cli/output.h"
#include "cli/report/tally.h"
#include "cli/sockets.h"
#include "cli/view.h"

/* All that a report is made of; too large for the stack. */
struct status {
	struct view view;
	char map_path[PATH_MAX]; /* of the map of this user */
	int map_error;		 /* of map_open() */
	struct tally tally;	 /* of all maps */
	struct sockets sockets;
	struct output output;
};

/* Prints all sections. Returns as output_close(). */
int status_report(struct status *status);
