/* SPDX-License-Identifier: MIT */
#pragma once

#include "cli/rules/rules.h"

struct kernel;

/*
 * Makes the rules of a configuration; all sets are finished, none is NULL, and
 * equal ones are one. Whatever makes a file unsound is added to findings, each
 * with both sides: unknown presets, words and protocols, ports beyond 65535,
 * reversed and empty ranges, privileged ports without privileged = yes, ranges
 * over reservations without overlap = carve, reservations that overlap with
 * different owners, owners that are no process section. Returns 0 when there
 * was nothing to add, else -EINVAL, or -ENOMEM; rules_deinit() is due in either
 * case.
 */
int rules_make(struct rules *rules, const struct config *config,
	       const struct kernel *kernel, struct findings *findings);

/* Reads a file into *configp, and makes its rules, which point into *configp.
 * rules_deinit() and then config_deinit() are due in either case. */
int rules_read(struct rules *rulesp, struct config *configp, const char *path,
	       const struct kernel *kernel, struct findings *findings);

void rules_deinit(struct rules *rules);
