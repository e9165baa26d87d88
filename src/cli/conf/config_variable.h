/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The variables in a value of berth.conf, ${NAME} and ${NAME:-DEFAULT}.
 * config_text_scan() has marked their "$".
 */

#include "cli/conf/findings.h"
#include "cli/memory.h"

/*
 * A copy of a value with its variables replaced. Wrong variables are added to
 * findings. Returns NULL without memory.
 */
const char *config_variable_expand(struct memory *memory, const char *value,
				   struct location place,
				   struct findings *findings);
