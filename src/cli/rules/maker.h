/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the parts of rules_make() share.
 *
 * Without memory a set is empty and rules->memory.failed is set: sets are not
 * judged then.
 */

#include "cli/rules/rules.h"

struct kept_set;
struct range_error;

#define N_SET_BUCKETS 1024u

struct maker {
	struct rules *rules;
	const struct config *config;
	const struct kernel *kernel;
	struct findings *findings;
	struct kept_set *kept[N_SET_BUCKETS]; /* all sets, by their hash */
	struct port_set scratch;	      /* for one part at a time */
	const struct port_set *empty;
	const struct port_set *reserved[N_PROTOCOLS]; /* by any reservation */
	/* Ports of no rule: the reservations, and the kernel's. */
	const struct port_set *avoided[N_PROTOCOLS];
	bool *owns; /* by index of the process */
};

/* `NAME: "WORD" REASON` */
void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason);

/* The same for a list of ports. */
void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error);

/* Clears the scratch set and returns it. */
struct port_set *maker_scratch(struct maker *maker);

/* Finishes a set, and returns the kept one that is equal to it. */
const struct port_set *maker_keep(struct maker *maker, struct port_set *set);

/* --- the parts, in the order in which they run ---------------------------- */

/* Reads the options of the top level alone: import-kernel, rest-time, ... */
void values_read_top(struct maker *maker, bool *import_kernelp);

/* Reads the reservations, and fills reserved, avoided and owns. */
void reserves_read(struct maker *maker, bool import_kernel);

/* Reads the settings, words and numbers of a section into its rule. */
void values_read_options(struct maker *maker,
			 const struct config_options *options,
			 struct rule *rule);

/* Reads the conditions of a section. */
void values_read_conditions(struct maker *maker, struct rule *rule);

/* Fills the sets refused and owned of a rule. */
void reserves_apply(struct maker *maker, struct rule *rule);

/* Finds what is wrong with rules that have been made. */
void rules_check(struct maker *maker);
