/* SPDX-License-Identifier: MIT */
#pragma once

/* The options that are one word or number each. */

#include "cli/rules/maker.h"

/* Reads the options of the top level alone: import-kernel, rest-time, ... */
void values_read_top(struct maker *maker, bool *import_kernelp);

/* Reads the settings, words and numbers of a section into its rule. */
void values_read_options(struct maker *maker,
			 const struct config_options *options,
			 struct rule *rule);

/* Reads the conditions of a section. */
void values_read_conditions(struct maker *maker, struct rule *rule);
