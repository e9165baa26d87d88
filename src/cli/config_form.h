/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which options and sections berth.conf has, where they may stand, and where in
 * struct config they go.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/config.h"
#include "cli/config_token.h"

#define N_CONFIG_FORMS (N_SETTINGS + 23)

enum config_scope {
	SCOPE_TOP,
	SCOPE_PROCESS,
	SCOPE_RESERVE,
	SCOPE_PROTOCOL,
	N_SCOPES,
};

enum config_type {
	TYPE_TEXT,
	TYPE_LIST,
	TYPE_BLOCK,		/* NAME { ... } */
	TYPE_TITLED_BLOCK,	/* NAME TITLE { ... } */
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

struct config_form {
	const char *name;
	unsigned int scopes;	/* 1 << each that it may stand in */
	enum config_type type;
	enum config_part part;	/* of blocks: N_PARTS */
	enum config_scope inner;	/* of blocks; else N_SCOPES */
	size_t offset;		/* of TYPE_TEXT and TYPE_LIST, in the part */
};

/* index: below N_CONFIG_FORMS. */
struct config_form config_form(size_t index);

/* Returns an index, or N_CONFIG_FORMS. The scope does not count. */
size_t config_form_find(struct token name);

/* "tcp"; a static string. */
const char *config_protocol_name(enum config_protocol protocol);

/*
 * Adds to findings that a name may not stand in this scope: where it may, or
 * which name is meant if it is misspelt.
 */
void config_form_refuse(struct token name, enum config_scope scope,
			bool is_section, struct location place,
			struct findings *findings);
