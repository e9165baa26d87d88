/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of one file. libconfuse 3.3 ends the whole process at a directory or
 * a read error, so it opens no file.
 */

#include <sys/stat.h>

/*
 * Reads a file or a pipe: text, terminated, at most 1 MiB.
 * Returns NULL, or what is wrong ("is binary"), valid until the next call of
 * strerror(). *textp is to be freed in either case.
 */
const char *config_file_read(const char *path, struct stat *status,
			     char **textp);
