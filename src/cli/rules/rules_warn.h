/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/rules/rules.h"

struct kernel;

/*
 * Warns of sound rules that are a risk on this machine. rate: connections a
 * second to one destination, for rules without a rate of their own; 0 = none.
 */
void rules_warn(const struct rules *rules, const struct kernel *kernel,
		unsigned int rate, struct findings *findings);
