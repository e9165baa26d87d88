/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the parts of rules_make() share.
 *
 * Without memory a set is empty and rules->memory.failed is set: sets are not
 * judged then.
 */

#include "cli/rules/rules.h"

struct kernel;
struct kept_set;
struct range_error;

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
	/* Ports of no rule: the reservations, and the kernel's. */
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

/* Finishes a set, and returns the kept one that is equal to it. */
const struct port_set *maker_keep(struct maker *maker, struct port_set *set);
