/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of a configuration in one buffer, and which of its lines come from
 * which file. All memory is the source's own, until config_source_deinit().
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

/* Returns 0, -EFBIG beyond 16 MiB, or -ENOMEM; only 0 changes the text. */
int config_source_append(struct config_source *source, const char *text,
			 size_t length);

/*
 * What is appended from now on comes from a place, whose file is a path that
 * the source keeps. Returns 0 or -ENOMEM.
 */
int config_source_mark(struct config_source *source, struct location place);

/* Returns a copy that lives as long as the source; NULL = no memory. */
const char *config_source_keep(struct config_source *source, const char *path);

/* Where a line of the buffer comes from. Lines count from 1. */
struct location config_source_place(const struct config_source *source, int line);

void config_source_deinit(struct config_source *source);
