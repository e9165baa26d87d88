/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Two sets of ports at a time. port_set_finish() is left to the caller.
 */

#include <stdbool.h>

#include "base/port_set.h"

/* Whether they have a port in common. */
bool port_sets_meet(const struct port_set *a, const struct port_set *b);

/* Adds what is in other. */
void port_sets_add(struct port_set *set, const struct port_set *other);

/* Adds what is both in a and in b. Returns whether there is anything. */
bool port_sets_add_common(struct port_set *set, const struct port_set *a,
			  const struct port_set *b);
