/* SPDX-License-Identifier: MIT */
#pragma once

/* The options that are one word or number each. */

#include "cli/rules/maker.h"

/* Reads what is not by section: import-kernel, rest-time, map-mode, ... */
void values_read_top(struct maker *maker, bool *import_kernelp);

/* Reads the settings, words and numbers that are given into a rule. */
void values_read_options(struct maker *maker,
			 const struct config_options *options,
			 struct rule *rule);

/* Reads what a section's program must be like. */
void values_read_conditions(struct maker *maker, struct rule *rule);
