/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of rules_make() share. */

#include "cli/rules/rules.h"

struct range_error;

struct maker {
	struct rules *rules;
	const struct config *config;
	const struct kernel *kernel;
	struct findings *findings;
	void *kept;		 /* all sets, as a tree */
	struct port_set scratch; /* for one part at a time */
	const struct port_set *empty;
	const struct port_set *reserved[N_PROTOCOLS]; /* by any reservation */
	/* Ports of no rule: the reservations, and the kernel's. */
	const struct port_set *avoided[N_PROTOCOLS];
	bool *owns;		   /* by index of the process */
	struct port_set *services; /* of services(5); NULL = not read */
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

/* Reads the options of the top level alone. Returns what import-kernel says. */
bool values_read_top(struct maker *maker);

/* Reads the reservations, and fills reserved, avoided and owns. */
void reserves_read(struct maker *maker, bool import_kernel);

/* Reads the settings, words and numbers of a section into its rule. */
void values_read_options(struct maker *maker,
			 const struct config_section *section,
			 struct rule *rule);

/* Reads the conditions of a section. */
void values_read_conditions(struct maker *maker, struct rule *rule);

/* Fills the sets refused and owned of a rule. */
void reserves_apply(struct maker *maker, struct rule *rule);

/* Finds what is wrong with rules that have been made. */
void rules_check(struct maker *maker);
