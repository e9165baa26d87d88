/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cli/conf/config_options.h"

/* Stands for the "$" of "${NAME}" in double quotes, from the scan on. */
#define CONFIG_VARIABLE '\1'

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
