/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/output.h"

struct rules;

/*
 * Writes rules and reservations as sections of a report: a row for all the
 * protocols and roles that have the same ports.
 */
void rules_print(const struct rules *rules, struct output *output);
