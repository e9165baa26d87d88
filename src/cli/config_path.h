/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "cli/config_token.h"

/*
 * The path that a file names in include(): relative to the folder of the file
 * that includes. With *is_patternp it is a pattern of glob(7). For free(); NULL
 * without memory.
 */
char *config_path_make(const char *file, struct token name,
		       bool *is_patternp);
