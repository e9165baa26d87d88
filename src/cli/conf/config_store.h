/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Puts what libconfuse reads into struct config, value by value. Adds findings
 * for names that do not exist or may not stand there, and for what stands
 * twice.
 */

#include "cli/conf/config_options.h"

struct config_store {
	struct config *config;
	struct findings *findings;
	struct config_section *section; /* around, or the top level */
	enum config_scope scope;	/* of that */
	enum protocol block;		/* around; N_PROTOCOLS = none */
	unsigned int n_refused;		/* outer sections passed over */
};

/* One value, which is the n-th of its option, from 1 on. */
struct config_value {
	const char *option;
	size_t n;
	const char *text;
	struct location place;
};

void config_store_value(struct config_store *store,
			const struct config_value *value);

/* A section or block starts. title NULL = it has none. */
void config_store_start(struct config_store *store, const char *name,
			const char *title, struct location place);

void config_store_end(struct config_store *store);

/* Whether the name of an option or a section may stand here. */
bool config_store_name(struct config_store *store, const char *name,
		       bool is_section, struct location place);
