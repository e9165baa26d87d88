/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * berth.conf as it was written: what each option says and where it stands.
 * Nothing is resolved here: see rules.h.
 */

#include <stddef.h>

#include "cli/conf/findings.h"
#include "cli/memory.h"
#include "policy/layout.h"

/* One option. value NULL = not given. */
struct config_text {
	const char *value;
	struct location place;
};

/* One option with several values. n 0 = not given. */
struct config_list {
	size_t n;
	const char *const *values;
	struct location place;
};

/* The ranges that a section, or the block of one protocol in it, gives. */
struct config_ranges {
	struct config_text range, connect, listen;
	struct location place; /* of the block; line 0 = there is none */
};

/* The top level, or a section NAME TITLE { ... }. Which options may stand in
 * which of them is said in config_options.c. */
struct config_section {
	const char *name; /* its TITLE; NULL for the top level */
	struct location place;
	struct config_ranges ranges;
	/* PROTOCOL_UDP: of UDP-Lite too. */
	struct config_ranges by_protocol[N_PROTOCOLS];
	struct config_text settings[N_SETTINGS]; /* by setting_name() */
	struct config_text overlap;		 /* refuse, carve */
	struct config_text privileged;		 /* no, yes */
	struct config_text rate; /* connections a second to one place */

	/* Of the top level. */
	struct config_text rest_time;	  /* seconds */
	struct config_text import_kernel; /* yes, no */
	struct config_text map_mode, map_group;

	/* Of process sections. */
	struct config_list conditions[N_CONDITIONS]; /* by condition_name() */
	struct config_list arguments;

	/* Of reservations. */
	struct config_text ports;
	struct config_list protocols; /* tcp, udp, sctp; none given = all */
	struct config_list owners;    /* names of process sections */
};

struct config {
	const char *path; /* of the outermost file */
	struct config_section top;
	struct config_section *processes;
	size_t n_processes;
	struct config_section *reserves;
	size_t n_reserves;
	struct memory memory; /* what all of this points into */
};

/*
 * Reads a file and what it includes. What is wrong is added to findings: a file
 * that cannot be read, is empty, binary or too large; a file that includes
 * itself; syntax; options, sections and titles that do not exist or stand
 * twice. Values are not looked at. Returns 0 when there is a configuration to
 * go on with, without what was found; else -EINVAL. config_deinit() is due in
 * either case. Not thread-safe: libconfuse hands its callbacks no argument of
 * the caller's.
 */
int config_read(struct config *config, const char *path,
		struct findings *findings);

/* Gives all memory back. */
void config_deinit(struct config *config);
