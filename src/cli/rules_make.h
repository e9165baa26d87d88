/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the parts of rules_make() share.
 */

#include "cli/rules.h"
#include "cli/rules_memory.h"

struct kernel;
struct range_error;

struct maker {
	struct rules *rules;
	const struct config *config;
	const struct kernel *kernel;
	struct findings *findings;
	struct rules_memory *memory;
	struct port_set scratch;	/* of whoever is at work */
	const struct port_set *empty;
	const struct port_set *reserved[N_PROTOCOLS];	/* by any reservation */
	/* What nobody is assigned: the reservations, and the kernel's. */
	const struct port_set *avoided[N_PROTOCOLS];
	bool *owns;			/* by index of the process */
};

/* `NAME: "WORD" REASON`, long words cut. */
void maker_refuse(struct maker *maker, struct location place, const char *name,
		  const char *word, const char *reason);

/* The same for a list of ports. */
void maker_refuse_ports(struct maker *maker, struct location place,
			const char *name, const struct range_error *error);

/* Clears the scratch set and returns it. */
struct port_set *maker_scratch(struct maker *maker);

/* Keeps what is in the scratch set. */
const struct port_set *maker_keep(struct maker *maker);

/* Reads what is not by section: import-kernel, rest-time, map-mode, ... */
void values_read_top(struct maker *maker, bool *import_kernelp);

/* Reads the settings, words and numbers that are given into a rule. */
void values_read_options(struct maker *maker,
			 const struct config_options *options,
			 struct rule *rule);

/* Reads what a section's program must be like. */
void values_read_conditions(struct maker *maker, struct rule *rule);

/* Reads the reservations, and makes what follows from them for all. */
void reserves_read(struct maker *maker, bool import_kernel);

/* Fills the sets refused and owned of a rule. */
void reserves_apply(struct maker *maker, struct rule *rule);

/* Finds what is wrong with rules that have been made. */
void rules_check(struct maker *maker);
