/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The options that a program sets, and the values that it gives them.
 */

#include <netinet/in.h>

#include "plan.h"

struct option {
	int level, name;
	const void *value;
	socklen_t length;
	char text[64];
	long protocol[8]; /* for the value */
};

/* From now on the program sets no range of its own; it may take one off. */
void option_keep_range(void);

void option_make(struct option *option, const struct step *step);
