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

/* The options of both the top level (the defaults) and a process section. */
struct config_options {
	struct config_ranges ranges;
	/* PROTOCOL_UDP: of UDP-Lite too. */
	struct config_ranges by_protocol[N_PROTOCOLS];
	struct config_text settings[N_SETTINGS]; /* by setting_name() */
	struct config_text overlap;		 /* refuse, carve */
	struct config_text privileged;		 /* no, yes */
	struct config_text rate; /* connections a second to one place */
};

/* The head of a section, NAME TITLE { ... }. */
struct config_head {
	const char *name; /* its TITLE */
	struct location place;
};

struct config_process {
	struct config_head head; /* the first, for config_store.c */
	/* By condition_name(). */
	struct config_list conditions[N_CONDITIONS];
	struct config_list arguments;
	struct config_options options;
};

struct config_reserve {
	struct config_head head; /* as above */
	struct config_text ports;
	struct config_list protocols; /* tcp, udp, sctp; none given = all */
	struct config_list owners;    /* names of process sections */
};

struct config {
	const char *path; /* of the outermost file */
	struct config_options defaults;
	struct config_text rest_time;	  /* seconds */
	struct config_text import_kernel; /* yes, no */
	struct config_text map_mode, map_group;
	struct config_process *processes;
	size_t n_processes;
	struct config_reserve *reserves;
	size_t n_reserves;
	struct memory memory; /* what all of this points into */
};
