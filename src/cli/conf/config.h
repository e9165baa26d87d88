/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * berth.conf as it was written: what each option says and where it stands.
 * Nothing is resolved here: see rules.h. All memory is config_read()'s, given
 * back by config_deinit(). Not thread-safe: libconfuse hands its callbacks no
 * argument of the caller's.
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

enum config_protocol {
	CONFIG_TCP,
	CONFIG_UDP,
	CONFIG_SCTP,
	N_CONFIG_PROTOCOLS
};

/* The ranges that a scope gives: the section itself, or one protocol in it. */
struct config_ranges {
	struct config_text range, connect, listen;
	struct location place;	/* of the block for one protocol, if there is one */
};

/* What the file's top level (the defaults) and a process section both take. */
struct config_options {
	struct config_ranges ranges;
	struct config_ranges by_protocol[N_CONFIG_PROTOCOLS];
	struct config_text settings[N_SETTINGS];	/* by setting_name() */
	struct config_text overlap;			/* refuse, carve */
	struct config_text privileged;			/* no, yes */
	struct config_text rate;	/* connections a second to one place */
};

struct config_process {
	const char *name;
	struct location place;
	struct config_list conditions[N_CONDITIONS];	/* exe, name, uid, profile */
	struct config_list arguments;
	struct config_options options;
};

struct config_reserve {
	const char *name;
	struct location place;
	struct config_text ports;
	struct config_list protocols;	/* tcp, udp, sctp; none given = all */
	struct config_list owners;	/* names of process sections */
};

struct config {
	const char *path;		/* of the outermost file */
	struct config_options defaults;
	struct config_text rest_time;	/* seconds */
	struct config_text import_kernel;	/* ip_local_reserved_ports: yes, no */
	struct config_text map_mode, map_group;
	struct config_process *processes;
	size_t n_processes;
	struct config_reserve *reserves;
	size_t n_reserves;
	struct memory memory;		/* what all of this points into */
};

/*
 * Reads a file and what it includes. What is wrong is added to findings: a file
 * that cannot be read, is empty of text, binary or too large; includes that go
 * round; syntax; options, sections and titles that do not exist or stand twice.
 * Values are not looked at. Returns 0 when there is a configuration to go on
 * with, without what was found; else -EINVAL. config_deinit() is due in either
 * case.
 */
int config_read(struct config *config, const char *path,
		struct findings *findings);

void config_deinit(struct config *config);
