/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * berth.conf: the options range, reserve and algorithm, each a string that says
 * what BERTH_RANGE, BERTH_RESERVE and BERTH_ALGORITHM say, see core/policy.h.
 * Not thread-safe: libconfuse hands its callbacks no argument of the caller's.
 */

struct cfg_t;
struct kernel;

/* What a file says, NULL where nothing. The strings are the parser's. */
struct config {
	const char *path;
	const char *range;
	const char *reserve;
	const char *algorithm;
	struct cfg_t *parser;
};

/*
 * Reads the file path or, when it is NULL, CONFIG_PATH if it exists, and checks
 * each option by itself. Returns 0; or a negative errno after a line on stderr,
 * `FILE:LINE: range="x": "x" is ...`. config_deinit() is due in either case.
 */
int config_read(struct config *config, const char *path,
		const struct kernel *kernel);

void config_deinit(struct config *config);
