/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The variables in a string of berth.conf, ${NAME} and ${NAME:-DEFAULT}, replaced
 * before libconfuse sees them: it takes one that is not set for an empty one.
 */

#include "cli/config_token.h"
#include "cli/findings.h"

/*
 * A string in double quotes with its variables replaced, in quotes again and
 * escaped. What is wrong with one is added to findings, and it stays as text.
 * Returns NULL for a token without variables, or without memory, which is added
 * too; else for free().
 */
char *config_variable_expand(struct token token, struct location place,
			     struct findings *findings);
