/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What rules point into: given back all at once. Equal sets of ports are kept
 * once, so that their addresses tell whether they are equal.
 *
 * No call has to be checked on the spot: after the first that finds no memory,
 * rules_memory_failed() says so, and sets come out empty.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/port_set.h"

struct rules_memory;

/* Returns NULL without memory. */
struct rules_memory *rules_memory_new(void);

/* memory may be NULL. */
void rules_memory_free(struct rules_memory *memory);

bool rules_memory_failed(const struct rules_memory *memory);

/* Zeroed. Returns NULL without memory. */
void *rules_memory_take(struct rules_memory *memory, size_t n, size_t size);

/* Finishes a set, and returns the one that is kept of those equal to it. */
const struct port_set *rules_memory_keep(struct rules_memory *memory,
					 struct port_set *set);
