/* SPDX-License-Identifier: MIT */
#pragma once

/* The reservations. */

#include "cli/rules/maker.h"

/* Reads the reservations, and fills reserved, avoided and owns. */
void reserves_read(struct maker *maker, bool import_kernel);

/* Fills the sets refused and owned of a rule. */
void reserves_apply(struct maker *maker, struct rule *rule);
