/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which options and sections berth.conf has, where they may stand, how they are
 * written, and where in struct config_section they go.
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

struct config_option {
	const char *name;
	unsigned int scopes; /* 1 << each that it may stand in */
	enum config_type type;
	/* Of a config_text or a config_list in struct config_section; in
	 * struct config_ranges, if it may stand in SCOPE_PROTOCOL */
	size_t offset;
};

/* index: below N_CONFIG_OPTIONS. */
struct config_option config_option(size_t index);

/* Returns whether there is an option of this name, in whichever scope; if not,
 * *optionp has no scope. */
bool config_option_find(const char *name, struct config_option *optionp);

/* PROTOCOL_UDP for "udp", which is for UDP-Lite too; N_PROTOCOLS for others. */
enum protocol config_protocol_of(const char *name);

/* Adds a finding for a name that may not stand in this scope: where it may, or
 * which name is meant. */
void config_option_refuse(const char *name, bool is_section,
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
