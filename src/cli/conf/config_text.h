/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of a file. libconfuse 3.3 ends the whole process at a directory or a
 * read error, so it never opens a file itself.
 */

#include <stdbool.h>
#include <sys/stat.h>

#include "cli/conf/config_options.h"

/* Stands for the "$" of "${NAME}" in double quotes, from the scan on. */
#define CONFIG_VARIABLE '\1'

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

/*
 * Looks through the text of a file for what libconfuse 3.3 gets wrong. It
 * miscounts the lines of comments: comments are blanked. It takes an unset
 * variable for empty: variables are marked. It stops at the first unknown name:
 * such names are added to *names.
 *
 * libconfuse also accepts some mistakes in silence: an unquoted * or +, an
 * empty list, and quotes, comments, braces and parentheses that are left open.
 * The first of them is added to findings, and the text is cut there. Returns
 * false then; what libconfuse reports at the cut is to be ignored.
 */
bool config_text_scan(char *text, const char *path, struct config_names *names,
		      struct findings *findings);

/*
 * A copy of a value with its variables, ${NAME} and ${NAME:-DEFAULT}, replaced.
 * Wrong variables are added to findings.
 */
const char *config_text_expand(struct memory *memory, const char *value,
			       struct location place,
			       struct findings *findings);
