/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of one file, and the path of another file that it names. libconfuse
 * 3.3 ends the whole process at a directory or a read error, so it never opens
 * a file itself.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/memory.h"

/*
 * Reads a file or a pipe: text, terminated, at most 1 MiB.
 * Returns NULL, or what is wrong ("is binary"), valid until the next call of
 * strerror(). *textp is to be freed in either case.
 */
const char *config_file_read(const char *path, struct stat *status,
			     char **textp);

/* Whether a path is a pattern of glob(7). */
bool config_file_is_pattern(const char *path);

/* An absolute path or pattern as it is, a relative one below the folder of the
 * file that names it. */
char *config_file_resolve(struct memory *memory, const char *file,
			  const char *path);
