/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A configuration made into rules: every value read, every range a set of
 * ports, every inheritance resolved. What section 3 of RFC 6056 calls the range
 * of ephemeral ports is here one set for each protocol and role.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/port_set.h"
#include "cli/conf/config.h"
#include "cli/memory.h"

struct kernel;
struct kept_set;
struct range_error;

/* A set of ports and the option that gave it. Shared by those who inherit it. */
struct rule_range {
	const struct port_set *ports;	/* finished; what the option says */
	struct location place;		/* file NULL: the built-in default */
	bool inherited;			/* not the section's own */
};

struct rule {
	const char *name;		/* "default" for the last */
	struct location place;
	const struct config_process *process;	/* NULL for the last */
	const char *const *uids;	/* CONDITION_UID, in decimal */
	size_t n_uids;
	struct rule_range ranges[N_PROTOCOLS][N_ROLES];
	/* The same less what is never assigned to this rule. */
	const struct port_set *assigned[N_PROTOCOLS][N_ROLES];
	const struct port_set *avoided[N_PROTOCOLS];	/* reserved or the kernel's */
	const struct port_set *refused[N_PROTOCOLS];	/* reserved for others */
	const struct port_set *owned[N_PROTOCOLS];
	uint8_t settings[N_SETTINGS];
	bool carves;			/* overlap = carve */
	bool privileged;
	unsigned int rate;		/* 0 = not given */
};

struct rule_reserve {
	const struct config_reserve *config;
	const struct port_set *ports[N_PROTOCOLS];
};

struct rules {
	const struct config *config;
	struct rule *rules;		/* the defaults are the last */
	size_t n_rules;
	struct rule_reserve *reserves;
	size_t n_reserves;
	const struct port_set *dynamic[N_PROTOCOLS];	/* all that is assigned */
	uint32_t rest_ms;
	struct memory memory;		/* what all of this points into */
};

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

void rules_deinit(struct rules *rules);

/*
 * What this machine makes dangerous of sound rules, as warnings. rate: of
 * connections a second to one place, for rules that say none; 0 = none.
 */
void rules_warn(const struct rules *rules, const struct kernel *kernel,
		unsigned int rate, struct findings *findings);

/*
 * --- what the parts of rules_make() share ---
 *
 * No memory is no error on the spot: sets come out empty then, and
 * rules->memory.failed is looked at before they are judged.
 */

#define N_SET_BUCKETS 1024u

struct maker {
	struct rules *rules;
	const struct config *config;
	const struct kernel *kernel;
	struct findings *findings;
	struct kept_set *kept[N_SET_BUCKETS];	/* all sets, by their hash */
	struct port_set scratch;	/* of whoever is at work */
	const struct port_set *empty;
	const struct port_set *reserved[N_PROTOCOLS];	/* by any reservation */
	/* What nobody is assigned: the reservations, and the kernel's. */
	const struct port_set *avoided[N_PROTOCOLS];
	bool *owns;			/* by index of the process */
};

/* `NAME: "WORD" REASON` */
void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason);

/* The same for a list of ports. */
void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error);

/* Clears the scratch set and returns it. */
struct port_set *maker_scratch(struct maker *maker);

/* Finishes a set, and returns the one that is kept of those equal to it. */
const struct port_set *maker_keep(struct maker *maker, struct port_set *set);

/* Reads what is not by section: import-kernel, rest-time, map-mode, ... */
void values_read_top(struct maker *maker, bool *import_kernelp);

/* Reads the settings, words and numbers that are given into a rule. */
void values_read_options(struct maker *maker,
			 const struct config_options *options,
			 struct rule *rule);

/* Reads what a section's program must be like. */
void values_read_conditions(struct maker *maker, struct rule *rule);

/* Reads the reservations, and fills reserved, avoided and owns. */
void reserves_read(struct maker *maker, bool import_kernel);

/* Fills the sets refused and owned of a rule. */
void reserves_apply(struct maker *maker, struct rule *rule);

/* Finds what is wrong with rules that have been made. */
void rules_check(struct maker *maker);
