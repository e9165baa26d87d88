/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/conf/config.h"

/*
 * Reads a file and what it includes. What is wrong is added to findings: a file
 * that cannot be read, is empty, binary or too large; a file that includes
 * itself; syntax; options, sections and titles that do not exist or stand
 * twice. Values are not looked at. Returns 0 when there is a configuration to
 * go on with, without what was found; else -EINVAL. config_deinit() is due in
 * either case. Not thread-safe: libconfuse hands its callbacks no argument of
 * the caller's.
 */
int config_read(struct config *config, const char *path,
		struct findings *findings);

/* Gives all memory back. */
void config_deinit(struct config *config);
