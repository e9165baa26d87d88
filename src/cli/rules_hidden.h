/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/rules.h"

/*
 * Warns of each section that never applies, as one before it takes all that it
 * would match. Told for certain only: where both have patterns with sets of
 * characters, nothing is said unless they are the same.
 */
void rules_warn_hidden(const struct rules *rules, struct findings *findings);
