/* SPDX-License-Identifier: MIT */
#pragma once

/* The protocols and roles for which a rule has the same range or set, and the
 * texts of messages about that, in memory of the caller's. Long texts are cut. */

#include <stdbool.h>

#include "cli/rules/rules.h"

#define ALL_ROLES ((1u << N_ROLES) - 1)

/* A range, and the pairs that have it: bit 1 << pair. */
struct scope {
	const struct rule *rule;
	const struct rule_range *range;
	unsigned int pairs;
};

/* The roles of a protocol among pairs: bit 1 << role. */
static inline unsigned int scope_roles_of(unsigned int pairs, int protocol)
{
	return pairs >> protocol * N_ROLES & ALL_ROLES;
}

/* Returns all pairs that are the same as this one; or 0 if an earlier one is
 * among them, so that each is met once. */
unsigned int scope_of(int pair, const void *context,
		      bool (*is_same)(const void *context, int a, int b));

/* Finds all pairs that have the same range as this one, from the same place.
 * Returns false if an earlier one has it. */
bool scope_of_range(const struct rule *rule, int pair, struct scope *scopep);

/* The names of protocols with just these roles, joined: "udp/udplite"; NULL =
 * there are none. */
char *scope_protocols(struct memory *memory, unsigned int pairs,
		      unsigned int roles, const char *joint);

/* "connect/listen" */
char *scope_roles(struct memory *memory, unsigned int roles, const char *joint);

/* `the range of process "web" (tcp, connect)` */
char *scope_title(struct memory *memory, const struct scope *scope);

/* "port 80", "ports 80,8000-8010, ..." */
char *scope_ports(struct memory *memory, const struct port_set *set);

/* The place of the range: its option, or its section if it is built in. */
struct location scope_place(const struct scope *scope);

/* Adds `TITLE BEFORE PORTS BEHIND` about the range. */
void scope_tell(const struct scope *scope, enum severity severity,
		struct findings *findings, const char *before,
		const struct port_set *ports, const char *behind);
