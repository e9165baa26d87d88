/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the parts of the operations share: those of a sweep and of the ring of
 * events stand in files of their own.
 */

#include "step_operation.h"

#define PORT 40010u /* in the middle of a word */

static inline uint64_t now_ms(void)
{
	return load_relaxed_u64(&trial->now_ms);
}

/* A long search is stepped from its lease on. */
extern bool steps_from_lease;

/* The claim that another process holds, if the operation has one. */
void hold_other(const struct operation *operation);

/* Leases as those leave them who end while they take or give back one. */
void prepare_damage(const struct operation *operation);
void act_sweep(const struct operation *operation);

void take_turn(void);
void act_turn(const struct operation *operation);
void finally_turn(bool killed);

void prepare_events(const struct operation *operation);
void act_event(const struct operation *operation);
void others_put_events(void);
void check_events(const struct operation *operation);
