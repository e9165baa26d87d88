/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdio.h>

#include "cli/output.h"

struct rules;

/*
 * Writes rules and reservations: a row for all the protocols and roles that
 * have the same ports. Returns 0, -EIO when not all could be written, or
 * -ENOMEM.
 */
int rules_print(const struct rules *rules, enum output_format format,
		FILE *stream);
