/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cli/conf/config_options.h"

/* Stands for the "$" of "${NAME}" in double quotes: see config_variable.h. */
#define CONFIG_VARIABLE '\1'

/*
 * Looks through the text of a file for what libconfuse 3.3 gets wrong. It
 * miscounts the lines of comments, so that they are blanked; it takes a variable
 * that is not set for empty, so that variables are marked; and it stops at the
 * first name that it does not know, so that such names are added to *names.
 *
 * The rest are mistakes that it reads in silence: an unquoted * or +, an empty
 * list, and quotes, comments, braces and parentheses that are left open. The
 * first is added to findings, and the text is cut there. Returns false then:
 * libconfuse may complain of the cut.
 */
bool config_text_scan(char *text, const char *path, struct config_names *names,
		      struct findings *findings);
