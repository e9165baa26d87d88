/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of berth.conf in one buffer: what it includes in its place, and no
 * comments, because libconfuse 3.3 miscounts their lines.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/findings.h"

struct config_segment;

struct config_source {
	char *buffer;			/* terminated */
	size_t length, size;
	int line;			/* at the buffer's end */
	bool broken;			/* cut at an error, which is told */
	struct config_segment *segments;
	size_t n_segments;
	char **paths;
	size_t n_paths;
};

/*
 * Reads a file and all that it includes. What is wrong is added to findings.
 * Returns 0 if there is a text to go on with, else -EINVAL;
 * config_text_deinit() is due in either case.
 */
int config_text_read(struct config_source *source, const char *path,
		     struct findings *findings);

/* Where a line of the buffer comes from. Lines count from 1. */
struct place config_text_place(const struct config_source *source, int line);

void config_text_deinit(struct config_source *source);
