/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/rules/rules.h"

struct kernel;

/*
 * What this machine makes dangerous of sound rules, as warnings. rate: of
 * connections a second to one place, for rules that say none; 0 = none.
 */
void rules_warn(const struct rules *rules, const struct kernel *kernel,
		unsigned int rate, struct findings *findings);
