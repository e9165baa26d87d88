/* SPDX-License-Identifier: MIT */
#pragma once

/* The protocols and roles for which a rule has the same range or set, and the
 * texts of messages about that. Long texts are cut. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/rules/rules.h"

/* Bit 1 << role for each protocol. */
struct scope {
	uint8_t roles[N_PROTOCOLS];
};

static inline bool scope_has(const struct scope *scope, int pair)
{
	return scope->roles[PAIR_PROTOCOL(pair)] >> PAIR_ROLE(pair) & 1;
}

/* Finds all pairs that have the same range as this one, from the same place.
 * Returns false if an earlier pair has it, so that each range is met once. */
bool scope_of_range(const struct rule *rule, int pair, struct scope *scopep);

/* The same of the sets that are assigned. */
bool scope_of_assigned(const struct rule *rule, int pair, struct scope *scopep);

struct scope_text {
	char text[256];
};

/* The names of protocols with just these roles, joined: "udp/udplite". */
struct scope_text scope_protocols(const struct scope *scope, unsigned int roles,
				  const char *joint);

/* "connect/listen" */
struct scope_text scope_roles(unsigned int roles, const char *joint);

/* `the range of process "web" (tcp, connect)` */
struct scope_text scope_title(const struct rule *rule,
			      const struct scope *scope);

/* "port 80", "ports 80,8000-8010, ..." */
struct scope_text scope_ports(const struct port_set *set);

/* The place of a range: its option, or its section if it is built in. */
struct location scope_place(const struct rule *rule,
			    const struct rule_range *range);
