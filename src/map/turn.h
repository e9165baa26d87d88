/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which process may sweep a protocol now, see sweep.h. Lock-free,
 * async-signal-safe.
 */

#include <stdbool.h>
#include <stdint.h>

#include "kernel/protocol.h"

struct map;

/*
 * The time from the beginning of a sweep of a protocol to that of the next one,
 * unless a user asks for it by hand: the least and the most; in between, this
 * many times the duration of the last sweep. So a namespace with millions of
 * sockets is not swept all the time because one destination has used up the
 * range.
 */
#define TURN_INTERVAL_MS 1000u
#define TURN_INTERVAL_MAX_MS 60000u
#define TURN_PAUSE 16u

/*
 * Whether this process may sweep now: no process has begun to sweep the
 * protocol during the interval. If a sweeper dies, the next turn comes after
 * the same interval. Call turn_end() afterwards, with the time that the
 * sweep took.
 */
bool turn_take(const struct map *map, enum protocol protocol, uint64_t now_ms);
void turn_end(const struct map *map, enum protocol protocol, uint64_t took_ms);
