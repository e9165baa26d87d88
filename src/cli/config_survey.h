/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which options stand where in the text, and whether they may. libconfuse stops
 * at the first that does not exist, and knows the lines of values only.
 */

#include <stddef.h>

#include "cli/config_form.h"
#include "cli/config_source.h"

/* A section by its lines in the buffer; 0 = not there. */
struct config_section {
	enum config_scope scope;	/* but SCOPE_PROTOCOL */
	struct token title;
	int line;
	int lines[N_CONFIG_FORMS];
	int protocol_lines[N_CONFIG_PROTOCOLS][N_CONFIG_FORMS];
};

struct config_survey {
	struct config_section *sections;	/* the first is the top level */
	size_t n_sections;
};

/*
 * Adds to findings what does not exist, stands where it may not, or stands
 * twice, and blanks it in the buffer. Returns 0, or -EINVAL when the rest makes
 * no sense; config_survey_deinit() is due in either case.
 */
int config_survey_make(struct config_survey *survey,
		       const struct config_source *source,
		       struct findings *findings);

void config_survey_deinit(struct config_survey *survey);
