/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which options and sections berth.conf has, where they may stand, how they are
 * written, and where in struct config they go.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/conf/config.h"

#define N_CONFIG_OPTIONS (N_SETTINGS + 24)
#define MAX_CONFIG_NAMES 100u

enum config_scope {
	SCOPE_TOP,
	SCOPE_PROCESS,
	SCOPE_RESERVE,
	SCOPE_PROTOCOL,
	N_SCOPES,
};

enum config_type {
	TYPE_TEXT,    /* NAME = VALUE */
	TYPE_LIST,    /* NAME = {VALUE, ...} */
	TYPE_BLOCK,   /* NAME { ... } */
	TYPE_SECTION, /* NAME TITLE { ... } */
	TYPE_INCLUDE, /* NAME(VALUE) */
};

/* The struct that an option is a member of. */
enum config_part {
	PART_RANGES,
	PART_OPTIONS,
	PART_CONFIG,
	PART_PROCESS,
	PART_RESERVE,
	N_PARTS,
};

struct config_option {
	const char *name;
	unsigned int scopes; /* 1 << each that it may stand in */
	enum config_type type;
	/* Of TYPE_TEXT and TYPE_LIST: a config_text or a config_list. */
	enum config_part part;
	unsigned int offset;	 /* in bytes */
	enum config_scope inner; /* of TYPE_BLOCK and TYPE_SECTION */
};

/* index: below N_CONFIG_OPTIONS. */
struct config_option config_option(size_t index);

/* Returns an index, or N_CONFIG_OPTIONS. The scope does not count. */
size_t config_option_find(const char *name);

/* PROTOCOL_UDP for "udp", which is for UDP-Lite too; N_PROTOCOLS for others. */
enum protocol config_protocol_of(const char *name);

/*
 * Whether a name may stand in this scope. If not, a finding says where it may,
 * or which name is meant.
 */
bool config_option_check(const char *name, bool is_section,
			 enum config_scope scope, struct location place,
			 struct findings *findings);

/* A part of the text, with quotes if it has any. */
struct config_word {
	char *text; /* not terminated */
	size_t length;
	int line;
};

/* Without quotes, fit for a message. */
struct finding_word config_word_quote(struct config_word word);

/* Names in the text of a file that are no option and no section. */
struct config_names {
	struct memory *memory;
	size_t n;
	struct config_name {
		const char *text;
		bool is_section, has_title;
	} names[MAX_CONFIG_NAMES];
};

/* Adds a name, unless it is known. Returns false for a word that libconfuse
 * reads as a path of several names. */
bool config_names_add(struct config_names *names, struct config_word word,
		      bool is_section, bool has_title);
