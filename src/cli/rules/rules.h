/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration made into rules: every value read, every range a set of
 * ports, every inheritance resolved. What section 3 of RFC 6056 calls the range
 * of ephemeral ports is here one set for each protocol and role.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/port_set.h"
#include "cli/conf/config.h"
#include "cli/memory.h"

struct kernel;
struct output;

#define RULE_RATE_MAX 1000000u /* connections a second */

/* A set of ports, and the option that gave it. Sections that inherit the range
 * share the set. */
struct rule_range {
	const struct port_set *ports; /* finished; what the option says */
	struct location place;	      /* file NULL: the built-in default */
	bool inherited;		      /* not the section's own */
};

struct rule {
	const char *name; /* "default" for the last */
	struct location place;
	const struct config_section *process; /* NULL for the last */
	/* As written, but for users, who are in decimal */
	struct config_list conditions[N_CONDITIONS];
	struct rule_range ranges[N_PROTOCOLS][N_ROLES];
	/* The same without the ports that are never assigned to this rule. */
	const struct port_set *assigned[N_PROTOCOLS][N_ROLES];
	/* Reserved or the kernel's; of these, reserved for others. */
	const struct port_set *avoided[N_PROTOCOLS];
	const struct port_set *refused[N_PROTOCOLS];
	const struct port_set *owned[N_PROTOCOLS];
	uint8_t settings[N_SETTINGS];
	bool carves; /* overlap = carve */
	bool privileged;
	unsigned int rate; /* 0 = not given */
};

struct rule_reserve {
	const struct config_section *config;
	const struct port_set *ports[N_PROTOCOLS];
};

struct rules {
	const struct config *config;
	struct rule *rules; /* the defaults are the last */
	size_t n_rules;
	struct rule_reserve *reserves;
	size_t n_reserves;
	/* All that any rule is assigned. */
	const struct port_set *dynamic[N_PROTOCOLS];
	uint32_t rest_ms;
	mode_t map_mode;
	long map_group;	      /* a gid; -1 = left as it is */
	struct memory memory; /* what all of this points into */
};

/* A pair of protocol and role as one number. */
#define N_PAIRS (N_PROTOCOLS * N_ROLES)
#define PAIR_PROTOCOL(pair) ((pair) / N_ROLES)
#define PAIR_ROLE(pair) ((pair) % N_ROLES)

static inline const struct rule_range *rule_range_of(const struct rule *rule,
						     int pair)
{
	return &rule->ranges[PAIR_PROTOCOL(pair)][PAIR_ROLE(pair)];
}

static inline const struct port_set *rule_assigned_of(const struct rule *rule,
						      int pair)
{
	return rule->assigned[PAIR_PROTOCOL(pair)][PAIR_ROLE(pair)];
}

/*
 * Makes the rules of a configuration; all sets are finished, none is NULL, and
 * equal ones are one. Whatever makes a file unsound is added to findings, each
 * with both sides: unknown presets, words and protocols, ports beyond 65535,
 * reversed and empty ranges, privileged ports without privileged = yes, ranges
 * over reservations without overlap = carve, reservations that overlap with
 * different owners, owners that are no process section. Returns 0 when there
 * was nothing to add, else -EINVAL; rules_deinit() is due in either case.
 */
int rules_make(struct rules *rules, const struct config *config,
	       const struct kernel *kernel, struct findings *findings);

/* Reads a file into *configp, and makes its rules, which point into *configp.
 * rules_deinit() and then config_deinit() are due in either case. */
int rules_read(struct rules *rulesp, struct config *configp, const char *path,
	       const struct kernel *kernel, struct findings *findings);

void rules_deinit(struct rules *rules);

/*
 * Makes the compiled form of sound rules, see policy/layout.h: equal sets of
 * ports lie in it once. loaded_at: seconds since 1970. Returns 0, and memory
 * for free(); or -EFBIG beyond POLICY_SIZE_MAX.
 */
int rules_compile(const struct rules *rules, uint64_t loaded_at, void **imagep,
		  size_t *sizep);

/*
 * Warns of sound rules that are a risk on this machine. rate: connections a
 * second to one destination, for rules without a rate of their own; 0 = none.
 */
void rules_warn(const struct rules *rules, const struct kernel *kernel,
		unsigned int rate, struct findings *findings);

/*
 * Writes rules and reservations as sections of a report: a row for all the
 * protocols and roles that have the same ports.
 */
void rules_print(const struct rules *rules, struct output *output);
